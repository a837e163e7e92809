#!/bin/sh
# Installs the agent that writes disks for the netboot server at @SERVER@, on a Pi that was booted by other means:
#
#   curl -fsS @SERVER@/api/bootstrap/install-script | sudo sh -s -- CODE
#
# `pi-netboot devices install` on the server prints that line with its CODE, which works once. Run again it needs none, and
# brings the program up to date. DESTDIR names another root than /: then nothing is started.
set -eu

SERVER='@SERVER@'
ROOT=${DESTDIR:-}
FOLDER=$ROOT/opt/netboot-imager
UNITS=$ROOT/etc/systemd/system
INIT=$ROOT/etc/init.d

say() { echo "netboot-imager: $*"; }
fail() {
	echo "netboot-imager: $*" >&2
	exit 1
}

check_system() {
	[ "$(id -u)" = 0 ] || fail "this must run as root: put sudo before sh."
	python3 -c 'import sys, ctypes, http.server; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
		fail "Python 3.9 or newer is missing, with its standard library."
	if [ -e "$FOLDER/config.json" ] && grep -q '"only_when_netbooted": true' "$FOLDER/config.json"; then
		say "this Pi was booted by the netboot server: the agent is here already."
		exit 0
	fi
}

# Lets the server make a config.json: it holds a secret, so it goes to who has a code.
ask_server() {
	python3 - "$SERVER" "$1" <<'PYTHON'
import json, sys, urllib.error, urllib.request

server, code = sys.argv[1:]
body = json.dumps({"code": code}).encode()
request = urllib.request.Request(server + "/api/bootstrap/agent", body, {"Content-Type": "application/json"})
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(json.dumps(json.load(answer), indent="\t"))
except urllib.error.HTTPError as refusal:
    error = json.load(refusal)["error"]
    sys.exit("netboot-imager: " + " ".join(filter(None, [error["message"], error.get("hint")])))
except OSError as error:
    sys.exit(f"netboot-imager: {server} cannot be reached: {error}")
PYTHON
}

has_own_config() { [ -e "$FOLDER/config.json" ] && grep -q "\"server\": \"$SERVER\"" "$FOLDER/config.json"; }

read_code() {
	[ -r /dev/tty ] && printf 'One-time code (pi-netboot devices install): ' >/dev/tty && read -r CODE </dev/tty
}

write_config() {
	CODE=$1
	if [ -z "$CODE" ] && has_own_config; then return; fi
	[ -n "$CODE" ] || read_code 2>/dev/null || fail "a one-time code is missing: \`pi-netboot devices install\` on the server prints one."
	(umask 077 && ask_server "$CODE" >"$FOLDER/config.json.new") || { rm -f "$FOLDER/config.json.new"; exit 1; }
	mv "$FOLDER/config.json.new" "$FOLDER/config.json"
}

write_program() {
	cat >"$FOLDER/netboot-imager-service.py.new" <<'END-OF-THE-PROGRAM'
@PROGRAM@
END-OF-THE-PROGRAM
	chmod 755 "$FOLDER/netboot-imager-service.py.new"
	mv "$FOLDER/netboot-imager-service.py.new" "$FOLDER/netboot-imager-service.py"
}

with_systemd() {
	mkdir -p "$UNITS/multi-user.target.wants"
	cat >"$UNITS/netboot-imager.service" <<'END-OF-THE-UNIT'
@UNIT@
END-OF-THE-UNIT
	# At each boot the program is brought up to date, by itself: only its own server can sign what it takes.
	cat >"$UNITS/netboot-bootstrap.service" <<'END-OF-THE-UNIT'
[Unit]
Description=Brings the agent of the netboot server up to date
Wants=network-online.target
After=network-online.target
Before=netboot-imager.service

[Service]
Type=oneshot
TimeoutStartSec=60
ExecStart=-/usr/bin/python3 -u /opt/netboot-imager/netboot-imager-service.py --update

[Install]
WantedBy=multi-user.target
END-OF-THE-UNIT
	for unit in netboot-imager netboot-bootstrap; do
		ln -sf "../$unit.service" "$UNITS/multi-user.target.wants/$unit.service"
	done
	[ -z "$ROOT" ] || return 0
	systemctl daemon-reload
	systemctl restart netboot-imager.service
}

with_openrc() {
	cat >"$INIT/netboot-imager" <<'END-OF-THE-SCRIPT'
#!/sbin/openrc-run
description="Writes OS images to this Pi's disks for its netboot server"
supervisor=supervise-daemon
command=/usr/bin/python3
command_args="-u /opt/netboot-imager/netboot-imager-service.py"
depend() { need net; }
END-OF-THE-SCRIPT
	chmod 755 "$INIT/netboot-imager"
	mkdir -p "$ROOT/etc/runlevels/default"
	ln -sf /etc/init.d/netboot-imager "$ROOT/etc/runlevels/default/netboot-imager"
	[ -z "$ROOT" ] || return 0
	rc-service netboot-imager restart
}

# BusyBox's init starts what is called S* in this folder.
with_busybox() {
	cat >"$INIT/S99netboot-imager" <<'END-OF-THE-SCRIPT'
#!/bin/sh
# Writes OS images to this Pi's disks for its netboot server.
PIDFILE=/var/run/netboot-imager.pid
start() {
	start-stop-daemon -S -b -m -p $PIDFILE -x /usr/bin/python3 -- -u /opt/netboot-imager/netboot-imager-service.py
}
stop() { start-stop-daemon -K -q -p $PIDFILE; }
case $1 in
start) start ;;
stop) stop ;;
restart)
	stop || true
	sleep 1
	start
	;;
*)
	echo "usage: $0 start|stop|restart" >&2
	exit 1
	;;
esac
END-OF-THE-SCRIPT
	chmod 755 "$INIT/S99netboot-imager"
	[ -z "$ROOT" ] || return 0
	"$INIT/S99netboot-imager" restart
}

write_service() {
	if [ -d "${ROOT:-/run}/${ROOT:+etc/}systemd/system" ]; then
		with_systemd
	elif [ -x "$ROOT/sbin/openrc-run" ]; then
		with_openrc
	elif [ -d "$INIT" ]; then
		with_busybox
	else
		fail "there is neither systemd, nor OpenRC, nor /etc/init.d: start python3 /opt/netboot-imager/netboot-imager-service.py by yourself."
	fi
}

main() {
	check_system
	mkdir -p "$FOLDER"
	write_config "${1:-}"
	write_program
	write_service
	say "installed in $FOLDER; its server is $SERVER."
}

# The last line: a script that was cut off on the way does nothing.
main "$@"
