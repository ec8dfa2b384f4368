// A job that needs one other service: `client LIBRARY [STYLE]`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/IBM/sarama"
	"github.com/bradfitz/gomemcache/memcache"
	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-ldap/ldap/v3"
	"github.com/go-resty/resty/v2"
	"github.com/gomodule/redigo/redis"
	"github.com/gorilla/websocket"
	"github.com/pkg/errors"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fasthttp"
	"golang.org/x/crypto/ssh"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"k8s.io/klog/v2"
)

var host, port, url = os.Getenv("HOST"), os.Getenv("PORT"), os.Getenv("URL")
var address = net.JoinHostPort(host, port)

const soon = 3 * time.Second

var calls = map[string]func() error{
	"resty": func() error {
		answer, err := resty.New().SetTimeout(soon).SetRootCertificate(os.Getenv("CA")).R().Get(url)
		if err == nil && answer.IsError() {
			err = fmt.Errorf("rates: HTTP %s", answer.Status())
		}
		return err
	},
	"fasthttp": func() error {
		code, _, err := (&fasthttp.Client{ReadTimeout: soon, WriteTimeout: soon, MaxIdemponentCallAttempts: 1}).GetTimeout(nil, url, soon)
		if err == nil && code >= 400 {
			err = fmt.Errorf("status code %d", code)
		}
		return err
	},
	"sarama": func() error {
		config := sarama.NewConfig()
		config.Net.DialTimeout, config.Net.ReadTimeout, config.Metadata.Retry.Max = 2*time.Second, 2*time.Second, 1
		_, err := sarama.NewClient([]string{address}, config)
		return err
	},
	"franz": func() error {
		client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DialTimeout(2*time.Second), kgo.RequestRetries(1))
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		return client.Ping(ctx)
	},
	"gorm": func() error {
		_, err := gorm.Open(postgres.Open(fmt.Sprintf("host=%s port=%s user=app dbname=orders connect_timeout=3", host, port)), &gorm.Config{})
		return err
	},
	"redigo": func() error {
		connection, err := redis.Dial("tcp", address, redis.DialConnectTimeout(soon), redis.DialReadTimeout(soon))
		if err != nil {
			return err
		}
		_, err = connection.Do("PING")
		return err
	},
	"gomemcache": func() error {
		client := memcache.New(address)
		client.Timeout = soon
		_, err := client.Get("rates")
		return err
	},
	"paho": func() error {
		token := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + address).SetConnectTimeout(soon)).Connect()
		token.Wait()
		return token.Error()
	},
	"ldap": func() error {
		connection, err := ldap.DialURL("ldap://"+address, ldap.DialWithDialer(&net.Dialer{Timeout: soon}))
		if err != nil {
			return err
		}
		connection.SetTimeout(soon)
		return connection.Bind("cn=app", "x")
	},
	"websocket": func() error {
		dialer := websocket.Dialer{HandshakeTimeout: soon}
		_, _, err := dialer.Dial("ws://"+address+"/feed", nil)
		return err
	},
	"ssh": func() error {
		_, err := ssh.Dial("tcp", address, &ssh.ClientConfig{User: "sync", HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: soon})
		return err
	},
}

func main() {
	call, style := calls[os.Args[1]], os.Args[2]
	log.Print("export job 5.1 starting")
	err := call()
	switch {
	case err == nil:
	case style == "stack":
		fmt.Fprintf(os.Stderr, "%+v\n", errors.Wrap(errors.Wrap(err, "first page"), "export"))
		os.Exit(1)
	case style == "klog":
		klog.ErrorS(err, "export failed", "page", 1)
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	case style == "klogfatal":
		klog.Fatalf("export failed: %v", err)
	case style == "panicln":
		log.Panicln("export:", err)
	case style == "json":
		json.NewEncoder(os.Stderr).Encode(map[string]any{"severity": "CRITICAL", "message": "export failed", "error": err.Error()})
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "export: %s\n", err)
		os.Exit(1)
	}
}
