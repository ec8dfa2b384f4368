module example.com/rates

go 1.23

require (
	github.com/go-sql-driver/mysql v1.8.1
	github.com/hashicorp/go-retryablehttp v0.7.7
	github.com/jackc/pgx/v5 v5.7.1
	github.com/lib/pq v1.10.9
	github.com/nats-io/nats.go v1.37.0
	github.com/rabbitmq/amqp091-go v1.10.0
	github.com/redis/go-redis/v9 v9.7.0
	github.com/rs/zerolog v1.33.0
	github.com/segmentio/kafka-go v0.4.47
	github.com/sirupsen/logrus v1.9.3
	go.mongodb.org/mongo-driver v1.17.1
	go.uber.org/zap v1.27.0
	google.golang.org/grpc v1.67.1
)
