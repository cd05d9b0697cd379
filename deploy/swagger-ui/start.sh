#!/bin/sh
# Writes the configuration of Swagger UI from the environment into a writable folder (SWAGGER_UI_FOLDER, by default
# /tmp/swagger-ui), and starts nginx. With the argument --write-only it only writes.
set -eu

folder=${SWAGGER_UI_FOLDER:-/tmp/swagger-ui}
origin=${API_ROOT:-}
: "${OAUTH2_AUTHORIZATION_URL:=}" "${OAUTH2_TOKEN_URL:=}" "${OAUTH2_REFRESH_URL:=}" "${OAUTH2_REDIRECT_URL:=}"
base=${BASE_URL:-/}

fail() {
  echo "start.sh: $1" >&2
  exit 1
}

# The path gets into the configuration of nginx, and so may hold only what means nothing there.
case $base in
  /*) ;;
  *) fail 'BASE_URL must be a path that begins with a slash, such as /debtors-swagger-ui' ;;
esac
case $base in
  *[!A-Za-z0-9._~/-]* | *//* | */../* | */..) fail 'BASE_URL may hold letters, digits, and . _ ~ / - only' ;;
esac
base=${base%/}

check_url() {
  case $2 in
    '' | http://* | https://* | /*) ;;
    *) fail "$1 must begin with https://, http:// or /" ;;
  esac
}
check_url API_ROOT "$origin"
check_url OAUTH2_AUTHORIZATION_URL "$OAUTH2_AUTHORIZATION_URL"
check_url OAUTH2_TOKEN_URL "$OAUTH2_TOKEN_URL"
check_url OAUTH2_REFRESH_URL "$OAUTH2_REFRESH_URL"
check_url OAUTH2_REDIRECT_URL "$OAUTH2_REDIRECT_URL"
# The paths of the document begin with /debtors/ themselves.
origin=${origin%/}
origin=${origin%/debtors}

mkdir -p "$folder"

# A JSON object. Values are data: nothing in them can end the text that they stand in.
export origin OAUTH2_AUTHORIZATION_URL OAUTH2_TOKEN_URL OAUTH2_REFRESH_URL OAUTH2_REDIRECT_URL
awk '
function quoted(text,    result, i, c) {
  result = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\\" || c == "\"") result = result "\\" c
    else if (c in escapes) result = result escapes[c]
    else result = result c
  }
  return "\"" result "\""
}
BEGIN {
  for (i = 1; i < 32; i++) escapes[sprintf("%c", i)] = sprintf("\\u%04x", i)
  escapes["<"] = "\\u003c"
  printf "{\n"
  printf "  \"apiRoot\": %s,\n", quoted(ENVIRON["origin"])
  printf "  \"authorizationUrl\": %s,\n", quoted(ENVIRON["OAUTH2_AUTHORIZATION_URL"])
  printf "  \"tokenUrl\": %s,\n", quoted(ENVIRON["OAUTH2_TOKEN_URL"])
  printf "  \"refreshUrl\": %s,\n", quoted(ENVIRON["OAUTH2_REFRESH_URL"])
  printf "  \"redirectUrl\": %s\n", quoted(ENVIRON["OAUTH2_REDIRECT_URL"])
  printf "}\n"
}' > "$folder/configuration.json"

cat > "$folder/server.conf" <<EOF
location = $base/configuration.json { alias $folder/configuration.json; }
location $base/ { alias /usr/share/swagger-ui/; }
EOF
if [ -e /proc/net/if_inet6 ]; then
  echo 'listen [::]:8080;' >> "$folder/server.conf"
fi
if [ -n "$base" ]; then
  echo "location = $base { return 308 $base/; }" >> "$folder/server.conf"
fi

if [ "${1:-}" != --write-only ]; then
  exec nginx -c /etc/swagger-ui/nginx.conf -g 'daemon off;'
fi
