npm install --silent --no-audit --no-fund
