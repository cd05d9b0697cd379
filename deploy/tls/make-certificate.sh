#!/bin/sh
# Makes a self-signed certificate for trials: make-certificate.sh FOLDER NAME [OWNER]. NAME is a host name or an IPv4 address. A
# certificate for it that is valid for another day stays. Browsers warn about it. For a real node, get one that browsers trust.
set -eu
folder=$1
name=$2
owner=${3:-}
certificate=$folder/certificate.pem
key=$folder/key.pem
case $name in
  *[!0-9.]*) kind=DNS ;;
  *) kind=IP ;;
esac
case $name in
  '' | *[!A-Za-z0-9.-]*) echo "make-certificate.sh: \"$name\" is not the name of a host." >&2; exit 2 ;;
esac
isFor() {
  if [ $kind = DNS ]; then
    openssl x509 -in "$certificate" -noout -checkhost "$name" | grep -q ' does match '
  else
    openssl x509 -in "$certificate" -noout -ext subjectAltName | grep -qE "IP Address:$name(,|\$)"
  fi
}
if [ -s "$certificate" ] && [ -s "$key" ] &&
  openssl x509 -in "$certificate" -noout -checkend 86400 >/dev/null 2>&1 &&
  isFor; then
  echo "There is a certificate for $name in $folder."
  exit 0
fi
umask 077
# A common name has no room for a long name; browsers read the alternative names only.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=swpt-debtors" \
  -addext "subjectAltName=$kind:$name,DNS:localhost,IP:127.0.0.1" \
  -keyout "$key.new" -out "$certificate.new" 2>/dev/null ||
  { echo "make-certificate.sh: openssl cannot make a certificate for \"$name\"." >&2; exit 2; }
chmod 644 "$certificate.new"
if [ -n "$owner" ]; then chown "$owner" "$certificate.new" "$key.new"; fi
mv "$key.new" "$key"
mv "$certificate.new" "$certificate"
echo "A certificate for $name is in $folder."
