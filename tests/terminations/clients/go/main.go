// A service that needs one other service to start: `client LIBRARY [STYLE]`.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/jackc/pgx/v5"
	_ "github.com/lib/pq"
	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/segmentio/kafka-go"
	"github.com/sirupsen/logrus"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

var (
	host, port, url = os.Getenv("HOST"), os.Getenv("PORT"), os.Getenv("URL")
	address         = net.JoinHostPort(host, port)
)

func soon() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 3*time.Second) //nolint:govet // the process ends first
	return ctx
}

func client() *http.Client {
	pem, _ := os.ReadFile(os.Getenv("CA"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func get() error {
	answer, err := client().Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("unexpected status %s from %s", answer.Status, url)
	}
	var rates map[string]any
	return json.NewDecoder(answer.Body).Decode(&rates)
}

var calls = map[string]func() error{
	"net/http": get,
	"net": func() error {
		connection, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err != nil {
			return err
		}
		connection.SetDeadline(time.Now().Add(3 * time.Second))
		fmt.Fprint(connection, "PING\r\n")
		_, err = io.ReadFull(connection, make([]byte, 8))
		return err
	},
	"retryablehttp": func() error {
		retrying := retryablehttp.NewClient()
		retrying.HTTPClient, retrying.RetryMax, retrying.RetryWaitMax = client(), 1, 100*time.Millisecond
		_, err := retrying.Get(url)
		return err
	},
	"pgx": func() error {
		_, err := pgx.Connect(soon(), fmt.Sprintf("postgres://app@%s/orders?sslmode=disable", address))
		return err
	},
	"lib/pq": func() error {
		db, _ := sql.Open("postgres", fmt.Sprintf("postgres://app@%s/orders?sslmode=disable&connect_timeout=3", address))
		return db.PingContext(soon())
	},
	"mysql": func() error {
		db, _ := sql.Open("mysql", fmt.Sprintf("app@tcp(%s)/orders?timeout=3s&readTimeout=3s", address))
		return db.Ping()
	},
	"go-redis": func() error {
		return redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialTimeout: 2 * time.Second, ReadTimeout: 2 * time.Second}).Ping(soon()).Err()
	},
	"amqp091": func() error {
		_, err := amqp.DialConfig("amqp://guest:guest@"+address, amqp.Config{Dial: amqp.DefaultDial(3 * time.Second)})
		return err
	},
	"kafka-go": func() error {
		writer := &kafka.Writer{Addr: kafka.TCP(address), Topic: "rates", MaxAttempts: 1, WriteTimeout: 2 * time.Second, BatchTimeout: time.Millisecond}
		return writer.WriteMessages(soon(), kafka.Message{Value: []byte("x")})
	},
	"grpc": func() error {
		connection, _ := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		_, err := grpc_health_v1.NewHealthClient(connection).Check(soon(), &grpc_health_v1.HealthCheckRequest{})
		return err
	},
	"mongo": func() error {
		uri := "mongodb://" + address + "/?serverSelectionTimeoutMS=2500"
		db, err := mongo.Connect(soon(), options.Client().ApplyURI(uri))
		if err != nil {
			return err
		}
		return db.Database("orders").RunCommand(context.Background(), bson.D{{Key: "ping", Value: 1}}).Err()
	},
	"nats": func() error {
		_, err := nats.Connect("nats://"+address, nats.Timeout(3*time.Second))
		return err
	},
	"net/smtp": func() error {
		connection, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err != nil {
			return err
		}
		connection.SetDeadline(time.Now().Add(3 * time.Second))
		_, err = smtp.NewClient(connection, host)
		return err
	},
	"itself": func() error {
		switch os.Getenv("FAULT") {
		case "own-listener":
			return http.ListenAndServe(":"+port, nil)
		case "own-certificate":
			_, err := tls.X509KeyPair([]byte("none"), []byte("none"))
			return err
		case "missing-file":
			_, err := os.ReadFile("/etc/rates/config.yaml")
			return err
		case "missing-setting":
			if os.Getenv("LEDGER_URL") == "" {
				return errors.New("environment variable LEDGER_URL is not set")
			}
		case "denied-file":
			_, err := os.ReadFile("/etc/shadow")
			return err
		case "disk-full":
			return os.WriteFile("/dev/full", make([]byte, 1<<16), 0o600)
		case "bug":
			var rates map[string]float64
			rates["EUR"] = 1
		}
		return nil
	},
}

func main() {
	call, style := calls[os.Args[1]], "fatal"
	if len(os.Args) > 2 {
		style = os.Args[2]
	}
	log.Printf("rates 2.9.4 starting, pid %d", os.Getpid())
	log.Print("settings read from environment, refresh every 30s")
	switch style {
	case "fatal":
		if err := call(); err != nil {
			log.Fatal(err)
		}
	case "panic":
		if err := call(); err != nil {
			panic(err)
		}
	case "wrapped":
		if err := call(); err != nil {
			log.Fatalf("start: %v", fmt.Errorf("load rates: %w", fmt.Errorf("first refresh: %w", err)))
		}
	case "slog":
		logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
		if err := call(); err != nil {
			logger.Error("rates could not be loaded", "err", err, "attempt", 1)
			os.Exit(1)
		}
	case "slogtext":
		if err := call(); err != nil {
			slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("startup failed", "err", err)
			os.Exit(1)
		}
	case "zap":
		logger, _ := zap.NewProduction()
		if err := call(); err != nil {
			logger.Fatal("rates could not be loaded", zap.Error(err))
		}
	case "zerolog":
		if err := call(); err != nil {
			logger := zerolog.New(os.Stderr).With().Timestamp().Logger()
			logger.Fatal().Err(err).Msg("rates could not be loaded")
		}
	case "logrus":
		if err := call(); err != nil {
			logrus.WithError(err).WithField("component", "rates").Fatal("startup failed")
		}
	case "retried":
		for attempt := 1; ; attempt++ {
			err := call()
			if err != nil && attempt < 3 {
				slog.Warn("could not load rates, retrying", "attempt", attempt, "err", err)
				continue
			}
			fmt.Fprintln(os.Stderr, "Error:", err)
			os.Exit(1)
		}
	case "survived":
		if err := call(); err != nil {
			slog.Warn("rates not refreshed, using cached ones", "err", err)
		}
		slog.Info("serving", "address", ":8080")
		slog.Info("orders priced", "count", 42, "took", 180*time.Millisecond)
		orders := []string{}
		fmt.Println(orders[len(orders)+1])
	}
}
