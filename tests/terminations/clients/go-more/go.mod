module example.com/export

go 1.23

require (
	github.com/IBM/sarama v1.43.3
	github.com/bradfitz/gomemcache v0.0.0-20230905024940-24af94b03874
	github.com/eclipse/paho.mqtt.golang v1.5.0
	github.com/go-ldap/ldap/v3 v3.4.8
	github.com/go-resty/resty/v2 v2.15.3
	github.com/gomodule/redigo v1.9.2
	github.com/gorilla/websocket v1.5.3
	github.com/pkg/errors v0.9.1
	github.com/twmb/franz-go v1.18.0
	github.com/valyala/fasthttp v1.57.0
	golang.org/x/crypto v0.28.0
	gorm.io/driver/postgres v1.5.9
	gorm.io/gorm v1.25.12
	k8s.io/klog/v2 v2.130.1
)
