package shop;

import java.io.FileInputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A service that needs one other service to start: {@code Client LIBRARY [STYLE]}. */
public final class Client {
    static final String HOST = System.getenv("HOST"), URL = System.getenv("URL");
    static final int PORT = Integer.parseInt(System.getenv("PORT"));
    static final Duration SOON = Duration.ofSeconds(3);

    static class RatesUnavailableException extends RuntimeException {
        RatesUnavailableException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static TrustManagerFactory trust() throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (var in = new FileInputStream(System.getenv("CA"))) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        return trust;
    }

    static SSLContext tls() throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust().getTrustManagers(), null);
        return context;
    }

    static Object call(String name) throws Exception {
        switch (name) {
            case "jdk-http": {
                var client = HttpClient.newBuilder().connectTimeout(SOON).sslContext(tls()).build();
                var request = HttpRequest.newBuilder(URI.create(URL)).timeout(SOON).build();
                var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() != 200) throw new java.io.IOException("unexpected status " + answer.statusCode() + " from " + URL);
                return answer.body();
            }
            case "url-connection": {
                var connection = (HttpURLConnection) new URL(URL).openConnection();
                if (connection instanceof javax.net.ssl.HttpsURLConnection https) https.setSSLSocketFactory(tls().getSocketFactory());
                connection.setConnectTimeout(3000);
                connection.setReadTimeout(3000);
                return connection.getInputStream().readAllBytes();
            }
            case "okhttp": {
                var client = new okhttp3.OkHttpClient.Builder().callTimeout(SOON).retryOnConnectionFailure(false)
                    .sslSocketFactory(tls().getSocketFactory(), (X509TrustManager) trust().getTrustManagers()[0]).build();
                try (var answer = client.newCall(new okhttp3.Request.Builder().url(URL).build()).execute()) {
                    if (!answer.isSuccessful()) throw new java.io.IOException("Unexpected code " + answer);
                    return answer.body().string();
                }
            }
            case "httpclient5": {
                var connect = org.apache.hc.client5.http.config.ConnectionConfig.custom()
                    .setConnectTimeout(3, TimeUnit.SECONDS).setSocketTimeout(3, TimeUnit.SECONDS).build();
                var manager = org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder.create()
                    .setDefaultConnectionConfig(connect)
                    .setTlsSocketStrategy(new org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy(tls())).build();
                try (var client = org.apache.hc.client5.http.impl.classic.HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries().build()) {
                    return client.execute(new org.apache.hc.client5.http.classic.methods.HttpGet(URL),
                        new org.apache.hc.client5.http.impl.classic.BasicHttpClientResponseHandler());
                }
            }
            case "rest-template": {
                var factory = new org.springframework.http.client.SimpleClientHttpRequestFactory();
                factory.setConnectTimeout(3000);
                factory.setReadTimeout(3000);
                return new org.springframework.web.client.RestTemplate(factory).getForObject(URL, String.class);
            }
            case "web-client": {
                return org.springframework.web.reactive.function.client.WebClient.create(URL).get().retrieve()
                    .bodyToMono(String.class).block(SOON);
            }
            case "socket": {
                try (var socket = new Socket()) {
                    socket.connect(new InetSocketAddress(HOST, PORT), 3000);
                    socket.setSoTimeout(3000);
                    socket.getOutputStream().write("PING\r\n".getBytes());
                    if (socket.getInputStream().read() < 0) throw new java.io.EOFException("connection closed by " + socket.getRemoteSocketAddress());
                    return null;
                }
            }
            case "pgjdbc":
                return DriverManager.getConnection("jdbc:postgresql://" + HOST + ":" + PORT + "/orders?connectTimeout=3&socketTimeout=3&loginTimeout=4", "app", "");
            case "hikari": {
                var config = new com.zaxxer.hikari.HikariConfig();
                config.setJdbcUrl("jdbc:postgresql://" + HOST + ":" + PORT + "/orders?connectTimeout=2&socketTimeout=2");
                config.setConnectionTimeout(3000);
                return new com.zaxxer.hikari.HikariDataSource(config).getConnection();
            }
            case "mariadb":
                return DriverManager.getConnection("jdbc:mariadb://" + HOST + ":" + PORT + "/orders?connectTimeout=3000&socketTimeout=3000", "app", "");
            case "mysql-j":
                return DriverManager.getConnection("jdbc:mysql://" + HOST + ":" + PORT + "/orders?connectTimeout=3000&socketTimeout=3000", "app", "");
            case "lettuce": {
                var uri = io.lettuce.core.RedisURI.builder().withHost(HOST).withPort(PORT).withTimeout(SOON).build();
                return io.lettuce.core.RedisClient.create(uri).connect().sync().ping();
            }
            case "jedis": {
                try (var jedis = new redis.clients.jedis.Jedis(HOST, PORT, 3000)) {
                    return jedis.ping();
                }
            }
            case "kafka": {
                Map<String, Object> config = Map.of("bootstrap.servers", HOST + ":" + PORT, "max.block.ms", "3000",
                    "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
                    "value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
                var producer = new org.apache.kafka.clients.producer.KafkaProducer<String, String>(config);
                return producer.send(new org.apache.kafka.clients.producer.ProducerRecord<>("rates", "x")).get();
            }
            case "amqp": {
                var factory = new com.rabbitmq.client.ConnectionFactory();
                factory.setHost(HOST);
                factory.setPort(PORT);
                factory.setConnectionTimeout(3000);
                factory.setHandshakeTimeout(3000);
                return factory.newConnection();
            }
            case "grpc": {
                var channel = io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder.forAddress(HOST, PORT).usePlaintext().build();
                return io.grpc.health.v1.HealthGrpc.newBlockingStub(channel).withDeadlineAfter(3, TimeUnit.SECONDS)
                    .check(io.grpc.health.v1.HealthCheckRequest.getDefaultInstance());
            }
            case "mongo":
                return com.mongodb.client.MongoClients.create("mongodb://" + HOST + ":" + PORT + "/?serverSelectionTimeoutMS=2500")
                    .getDatabase("orders").runCommand(new org.bson.Document("ping", 1));
            default:
                return itself(System.getenv("FAULT"));
        }
    }

    static Object itself(String what) throws Exception {
        switch (what) {
            case "own-listener": return new ServerSocket(PORT);
            case "own-certificate": {
                var file = Path.of("keystore.p12");
                Files.writeString(file, "none");
                var store = KeyStore.getInstance("PKCS12");
                store.load(Files.newInputStream(file), "x".toCharArray());
                return store;
            }
            case "missing-file": return Files.readString(Path.of("/etc/rates/config.yml"));
            case "missing-setting": throw new IllegalStateException("required environment variable LEDGER_URL is missing");
            case "disk-full": return Files.writeString(Path.of("/dev/full"), "x");
            case "memory": return new long[100_000_000];
            default: return List.of(1, 2).get(2);
        }
    }

    public static void main(String[] arguments) throws Exception {
        var style = arguments.length > 1 ? arguments[1] : "uncaught";
        Logger log = LoggerFactory.getLogger("shop.rates.RatesApplication");
        log.info("Starting RatesApplication v7.3.0 using Java {} with PID {}", System.getProperty("java.version"), ProcessHandle.current().pid());
        log.info("No active profile set, falling back to 1 default profile: \"default\"");
        switch (style) {
            case "uncaught" -> call(arguments[0]);
            case "wrapped" -> {
                try {
                    call(arguments[0]);
                } catch (Exception e) {
                    throw new RatesUnavailableException("rates could not be loaded", new IllegalStateException("first refresh", e));
                }
            }
            case "logged" -> {
                try {
                    call(arguments[0]);
                } catch (Exception e) {
                    log.error("Application run failed", e);
                    System.exit(1);
                }
            }
            case "line" -> {
                try {
                    call(arguments[0]);
                } catch (Exception e) {
                    log.error("Startup failed: {}", e.toString());
                    System.exit(1);
                }
            }
            case "retried" -> {
                for (int attempt = 1; ; attempt++) {
                    try {
                        call(arguments[0]);
                    } catch (Exception e) {
                        if (attempt == 2) {
                            log.error("Giving up after {} attempts", attempt, e);
                            System.exit(1);
                        }
                        log.warn("Attempt {} failed, retrying: {}", attempt, e.getMessage());
                    }
                }
            }
            case "survived" -> {
                try {
                    call(arguments[0]);
                } catch (Exception e) {
                    log.warn("Rates not refreshed, using cached ones", e);
                }
                log.info("Tomcat started on port 8080 (http) with context path '/'");
                log.info("Started RatesApplication in 2.9 seconds (process running for 3.4)");
                Map<String, List<String>> orders = Map.of();
                System.out.println(orders.get("open").size());
            }
            default -> throw new IllegalArgumentException(style);
        }
        System.exit(0);
    }
}
