export DEBIAN_FRONTEND=noninteractive
need=(ruby ruby-pg ruby-redis ruby-faraday ruby-mysql2 ruby-bunny ruby-excon ruby-sequel)
dpkg -s "${need[@]}" >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qy --no-install-recommends "${need[@]}"; }
