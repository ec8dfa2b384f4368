# A service that needs one other service to start: `client.pl LIBRARY [STYLE]`.
use strict;
use warnings;
my ($host, $port, $url) = @ENV{qw(HOST PORT URL)};
my %calls = (
    lwp => sub {
        require LWP::UserAgent;
        my $answer = LWP::UserAgent->new(timeout => 3, ssl_opts => { SSL_ca_file => $ENV{CA} })->get($url);
        die 'rates not loaded: ' . $answer->status_line . "\n" unless $answer->is_success;
    },
    'http-tiny' => sub {
        require HTTP::Tiny;
        my $answer = HTTP::Tiny->new(timeout => 3, verify_SSL => 1, SSL_options => { SSL_ca_file => $ENV{CA} })->get($url);
        die "GET $url: $answer->{status} $answer->{reason}: $answer->{content}" unless $answer->{success};
    },
    socket => sub {
        require IO::Socket::INET;
        my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 3) or die "Cannot connect to $host:$port: $@";
        print $socket "PING\r\n";
        local $SIG{ALRM} = sub { die "read timed out\n" };
        alarm 3;
        my $line = <$socket>;
        die "connection closed by $host: $!" unless defined $line;
    },
    'dbd-pg' => sub { require DBI; DBI->connect("dbi:Pg:host=$host;port=$port;dbname=orders;connect_timeout=3", 'app', '', { RaiseError => 1, PrintError => 0 }) },
    'dbd-mysql' => sub { require DBI; DBI->connect("dbi:mysql:host=$host;port=$port;mysql_connect_timeout=3;mysql_read_timeout=3", 'app', '', { RaiseError => 1 }) },
    redis => sub { require Redis; Redis->new(server => "$host:$port", cnx_timeout => 2, read_timeout => 2)->ping },
    itself => sub {
        my $f = $ENV{FAULT};
        if ($f eq 'own-listener') { require IO::Socket::INET; IO::Socket::INET->new(LocalPort => $port, Listen => 5) or die "Cannot listen on $port: $@" }
        if ($f eq 'missing-file') { open my $in, '<', '/etc/rates/config.ini' or die "Cannot open /etc/rates/config.ini: $!" }
        if ($f eq 'missing-setting') { die "LEDGER_URL is not set\n" unless $ENV{LEDGER_URL} }
        if ($f eq 'disk-full') { open my $out, '>', '/dev/full' or die; print $out 'x' x 100_000; close $out or die "Cannot write: $!" }
        if ($f eq 'bug') { my $order = undef; print $order->total }
    },
);
my ($name, $style) = (@ARGV, 'die');
$| = 1;
print "rates 0.9 starting\n";
if ($style eq 'die') { $calls{$name}->() }
if ($style eq 'logged') { eval { $calls{$name}->(); 1 } or do { chomp(my $e = $@); print STDERR '[' . localtime() . "] [error] startup failed: $e\n"; exit 1 } }
if ($style eq 'survived') {
    eval { $calls{$name}->(); 1 } or warn "rates not refreshed, continuing with cached ones: $@";
    print "serving on 8080\n";
    my $order = {};
    print $order->lines;
}
