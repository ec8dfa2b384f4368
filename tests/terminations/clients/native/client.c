/* A service that needs one other service to start: `client LIBRARY`. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <locale.h>
#include <mysql.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *host, *port;

static int plain(int survive)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *found;
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed) {
        fprintf(stderr, "rates: %s: %s\n", host, gai_strerror(failed));
        return 1;
    }
    struct timeval wait = {3, 0};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(s, found->ai_addr, found->ai_addrlen) < 0) {
        if (survive) {
            fprintf(stderr, "warning: rates: connect to %s:%s: %s; continuing with cached rates\n", host, port, strerror(errno));
            return 0;
        }
        fprintf(stderr, "rates: connect to %s:%s: %s\n", host, port, strerror(errno == EINPROGRESS ? ETIMEDOUT : errno));
        return 1;
    }
    char answer[64];
    send(s, "PING\r\n", 6, 0);
    ssize_t n = recv(s, answer, sizeof answer, 0);
    if (n == 0) {
        fprintf(stderr, "rates: %s closed the connection\n", host);
        return 1;
    }
    if (n < 0) {
        perror("rates: recv");
        return 1;
    }
    return 0;
}

static int itself(const char *what)
{
    if (!strcmp(what, "own-listener")) {
        struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *own;
        getaddrinfo(NULL, port, &hints, &own);
        if (bind(socket(AF_INET, SOCK_STREAM, 0), own->ai_addr, own->ai_addrlen) < 0) {
            perror("bind");
            return 1;
        }
    }
    if (!strcmp(what, "missing-file") && open("/etc/rates.conf", O_RDONLY) < 0) {
        fprintf(stderr, "rates: cannot open /etc/rates.conf: %s\n", strerror(errno));
        return 1;
    }
    if (!strcmp(what, "disk-full") && write(open("/dev/full", O_WRONLY), "x", 1) < 0) {
        perror("rates: write /var/lib/rates/journal");
        return 1;
    }
    if (!strcmp(what, "bug"))
        abort();
    return 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    host = getenv("HOST");
    port = getenv("PORT");
    printf("rates 0.4 starting\n");
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "socket"))
        return plain(0);
    if (!strcmp(name, "survived")) {
        plain(1);
        printf("serving on 8080\n");
        fprintf(stderr, "rates: price.c:88: price_order: Assertion `order->lines > 0' failed.\n");
        abort();
    }
    if (!strcmp(name, "itself"))
        return itself(getenv("FAULT"));
    if (!strcmp(name, "curl")) {
        CURL *curl = curl_easy_init();
        curl_easy_setopt(curl, CURLOPT_URL, getenv("URL"));
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 3L);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CA"));
        CURLcode code = curl_easy_perform(curl);
        if (code) {
            fprintf(stderr, "rates: fetch failed: %s\n", curl_easy_strerror(code));
            return 1;
        }
    }
    if (!strcmp(name, "pq")) {
        char dsn[256];
        snprintf(dsn, sizeof dsn, "host=%s port=%s dbname=orders user=app connect_timeout=3", host, port);
        PGconn *db = PQconnectdb(dsn);
        if (PQstatus(db) != CONNECTION_OK) {
            fprintf(stderr, "Connection to database failed: %s", PQerrorMessage(db));
            return 1;
        }
    }
    if (!strcmp(name, "mariadb")) {
        MYSQL *db = mysql_init(NULL);
        unsigned wait = 3;
        mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &wait);
        mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &wait);
        if (!mysql_real_connect(db, host, "app", "", "orders", atoi(port), NULL, 0)) {
            fprintf(stderr, "rates: mysql: %u %s\n", mysql_errno(db), mysql_error(db));
            return 1;
        }
    }
    if (!strcmp(name, "hiredis")) {
        struct timeval wait = {3, 0};
        redisContext *redis = redisConnectWithTimeout(host, atoi(port), wait);
        if (!redis->err) {
            redisSetTimeout(redis, wait);
            redisCommand(redis, "PING");
        }
        if (redis->err) {
            fprintf(stderr, "redis error: %s\n", redis->errstr);
            return 1;
        }
    }
    return 0;
}
