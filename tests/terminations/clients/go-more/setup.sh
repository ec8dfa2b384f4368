go mod tidy
go build -o client .
