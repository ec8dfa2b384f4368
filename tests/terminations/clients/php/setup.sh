export DEBIAN_FRONTEND=noninteractive
need=(php-cli php-curl php-pgsql php-mysql php-redis php-guzzlehttp-guzzle)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
