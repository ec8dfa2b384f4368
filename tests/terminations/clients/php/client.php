<?php
// A service that needs one other service to start: `client.php LIBRARY [STYLE]`.
ini_set('display_errors', 'stderr');
ini_set('default_socket_timeout', '3');
[$host, $port, $url] = [getenv('HOST'), (int) getenv('PORT'), getenv('URL')];
set_error_handler(null);

$calls = [
    'curl' => function () use ($url) {
        $curl = curl_init($url);
        curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 3, CURLOPT_FAILONERROR => true, CURLOPT_CAINFO => getenv('CA')]);
        if (curl_exec($curl) === false) {
            throw new RuntimeException(sprintf('cURL error %d: %s', curl_errno($curl), curl_error($curl)));
        }
    },
    'file_get_contents' => function () use ($url) {
        $context = stream_context_create(['ssl' => ['cafile' => getenv('CA')]]);
        $body = file_get_contents($url, false, $context);
        if ($body === false) {
            throw new RuntimeException('rates not loaded');
        }
    },
    'guzzle' => function () use ($url) {
        require '/usr/share/php/GuzzleHttp/autoload.php';
        (new GuzzleHttp\Client(['timeout' => 3, 'verify' => getenv('CA')]))->get($url);
    },
    'pdo-pgsql' => fn () => new PDO("pgsql:host=$host;port=$port;dbname=orders;connect_timeout=3", 'app'),
    'pdo-mysql' => fn () => new PDO("mysql:host=$host;port=$port;dbname=orders", 'app', '', [PDO::ATTR_TIMEOUT => 3]),
    'mysqli' => fn () => new mysqli($host, 'app', '', 'orders', $port),
    'redis' => fn () => (new Redis())->connect($host, $port, 2.0) && (function () { throw new LogicException('half open'); })(),
    'fsockopen' => function () use ($host, $port) {
        $socket = fsockopen($host, $port, $code, $text, 3);
        if (!$socket) {
            fwrite(STDERR, "ERROR: cannot reach $host:$port: $text ($code)\n");
            exit(1);
        }
        stream_set_timeout($socket, 3);
        fwrite($socket, "PING\r\n");
        if (fgets($socket) === false) {
            $timed = stream_get_meta_data($socket)['timed_out'];
            throw new RuntimeException($timed ? "read from $host:$port timed out" : "$host:$port closed the connection");
        }
    },
    'itself' => function () {
        switch (getenv('FAULT')) {
            case 'missing-file': return require '/etc/rates/config.php';
            case 'missing-setting': throw new RuntimeException('Environment variable LEDGER_URL is not set');
            case 'memory': ini_set('memory_limit', '8M'); return str_repeat('x', 1 << 26);
            case 'bug': return array_sum(array_map(fn ($order) => $order->total(), [null]));
        }
    },
];
[$call, $style] = [$calls[$argv[1]], $argv[2] ?? 'uncaught'];
echo '[' . date('Y-m-d\TH:i:sP') . "] rates.INFO: starting [] []\n";
if ($style === 'uncaught') {
    $call();
} elseif ($style === 'wrapped') {
    try {
        $call();
    } catch (Throwable $e) {
        throw new DomainException('rates could not be loaded', 0, $e);
    }
} elseif ($style === 'logged') {
    try {
        $call();
    } catch (Throwable $e) {
        fwrite(STDERR, '[' . date('Y-m-d\TH:i:sP') . '] rates.CRITICAL: ' . $e->getMessage() . ' {"exception":"[object] (' . get_class($e) . '(code: ' . $e->getCode() . '))"} []' . "\n");
        exit(1);
    }
} elseif ($style === 'survived') {
    try {
        $call();
    } catch (Throwable $e) {
        fwrite(STDERR, '[' . date('Y-m-d\TH:i:sP') . '] rates.WARNING: not refreshed, using cached rates: ' . $e->getMessage() . "\n");
    }
    echo "worker ready\n";
    $order = null;
    echo $order->total();
}
