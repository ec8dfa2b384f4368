# A service that needs one other service to start: `client.rb LIBRARY [STYLE]`.
require 'json'
require 'logger'
require 'net/http'
require 'socket'

HOST, PORT, URL = ENV['HOST'], ENV['PORT'].to_i, ENV['URL']

CALLS = {
  'net-http' => lambda {
    uri = URI(URL)
    Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', ca_file: ENV['CA'], open_timeout: 3,
                    read_timeout: 3, max_retries: 0) { |http| http.get(uri.request_uri).tap(&:value) }
  },
  'faraday' => lambda {
    require 'faraday'
    Faraday.new(URL, ssl: { ca_file: ENV['CA'] }, request: { timeout: 3 }) { |f| f.response :raise_error }.get
  },
  'excon' => lambda {
    require 'excon'
    Excon.get(URL, connect_timeout: 3, read_timeout: 3, ssl_ca_file: ENV['CA'], expects: 200)
  },
  'tcpsocket' => lambda {
    socket = Socket.tcp(HOST, PORT, connect_timeout: 3)
    socket.write("PING\r\n")
    raise IO::TimeoutError, 'no answer within 3 s' unless socket.wait_readable(3)
    socket.readline
  },
  'pg' => -> { require 'pg'; PG.connect(host: HOST, port: PORT, user: 'app', dbname: 'orders', connect_timeout: 3) },
  'redis' => -> { require 'redis'; Redis.new(host: HOST, port: PORT, timeout: 2, reconnect_attempts: 0).ping },
  'mysql2' => -> { require 'mysql2'; Mysql2::Client.new(host: HOST, port: PORT, username: 'app', connect_timeout: 3, read_timeout: 3) },
  'bunny' => lambda {
    require 'bunny'
    Bunny.new(host: HOST, port: PORT, connection_timeout: 3, automatically_recover: false, recovery_attempts: 0).start
  },
  'sequel' => -> { require 'sequel'; Sequel.connect(adapter: 'postgres', host: HOST, port: PORT, user: 'app', database: 'orders', connect_timeout: 3) },
  'itself' => lambda {
    case ENV['FAULT']
    when 'own-listener' then TCPServer.new('0.0.0.0', PORT)
    when 'own-certificate' then require('openssl') && OpenSSL::X509::Certificate.new('none')
    when 'missing-file' then File.read('/etc/rates/config.yml')
    when 'missing-setting' then ENV.fetch('LEDGER_URL')
    when 'disk-full' then File.write('/dev/full', 'x' * 100_000)
    when 'bug' then [{ id: 17 }].sum { |order| order[:lines].size }
    end
  },
}

class RatesUnavailable < StandardError; end

call = CALLS.fetch(ARGV[0])
log = Logger.new($stdout, progname: 'rates')
log.info('rates 1.8.0 starting')
log.info('settings read, refresh every 30 s')
case ARGV[1] || 'uncaught'
when 'uncaught' then call.()
when 'wrapped'
  begin
    call.()
  rescue StandardError
    raise RatesUnavailable, 'rates could not be loaded'
  end
when 'logged'
  begin
    call.()
  rescue StandardError => e
    log.fatal("could not load rates: #{e.message} (#{e.class})")
    exit 1
  end
when 'object'
  begin
    call.()
  rescue StandardError => e
    log.error(e)
    abort
  end
when 'survived'
  begin
    call.()
  rescue StandardError => e
    log.warn("rates not refreshed, using cached ones: #{e.message}")
  end
  log.info('listening on 8080')
  log.info('42 orders priced in 180 ms')
  puts [{ id: 17 }].sum { |order| order[:lines].size }
end
