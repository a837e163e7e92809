#!/usr/bin/env python3
"""Writes OS images to the disks of a Raspberry Pi that was booted from the network, and proves what it wrote.

It runs as root in the netbooted system, needs Python 3.9 and nothing else, and takes its orders in two ways:

* It asks its netboot server for work (`server` in config.json): requests and answers are signed, nothing listens for this.
* On port 8888 it answers `GET /health`, `GET /status` and `POST /write-image` for clients of earlier versions.

A disk is written so that it either holds the image or does not boot: the start of the disk is wiped first and written
last, after the rest was read back past the page cache and compared. docs/agent-protocol.md describes the protocol.
"""

from __future__ import annotations

import argparse
import base64
import collections
import contextlib
import ctypes
import ctypes.util
import errno
import fcntl
import hashlib
import hmac
import http.client
import http.server
import ipaddress
import json
import logging
import mmap
import os
import queue
import re
import secrets
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

VERSION = "1"
PROTOCOL = 1
MIB = 1024 * 1024
BLOCK = 4096
CHUNK = 4 * MIB
# Chunks between two syncs. A cut can cost twice as many: those that a sync is at work on, and those written meanwhile.
BATCH = 16
# Each has a chunk as it comes: one arrives while the others are unpacked and proved.
FETCHERS = 3
# For unpacked chunks: two being filled, one being written, one waiting.
BUFFERS = 4
# Zero ranges are read in pieces of this size, and written where they are not zero.
PIECE = MIB
MAX_JSON = 64 * MIB
MAX_REFUSAL = MIB
log = logging.getLogger("netboot-imager")


# -- Failures ------------------------------------------------------------------------------------------------------------


class Failure(Exception):
    """Why a disk was not written: a stable code, and a sentence for the person."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts

    def describe(self) -> Dict[str, Any]:
        return {"code": self.code, "message": self.message, **self.facts}


class Refusal(Failure):
    """Nothing was touched."""


class Cancelled(Failure):
    """Somebody asked to stop."""


# -- Configuration -------------------------------------------------------------------------------------------------------


class Config:
    """config.json: what the file of earlier versions has, and what the server adds."""

    def __init__(self, values: Dict[str, Any]) -> None:
        self.allowed_ips = [ipaddress.ip_network(each, strict=False) for each in values.get("allowed_ips", [])]
        self.shared_secret = str(values.get("shared_secret", ""))
        self.port = int(values.get("port", 8888))
        # http://HOST:PORT of the netboot server, and what signs the requests to it.
        self.server = str(values.get("server", "")).rstrip("/")
        self.agent_id = str(values.get("agent_id", ""))
        self.secret = str(values.get("secret", ""))
        self.only_when_netbooted = bool(values.get("only_when_netbooted", False))
        # Whether /write-image may fetch from hosts that are neither the server nor in allowed_ips.
        self.any_source = bool(values.get("any_source", False))
        # False: chunks come uncompressed, as they do where libzstd.so.1 is missing.
        self.zstd = bool(values.get("zstd", True))
        self.devices = re.compile(str(values.get("devices", r"/dev/(mmcblk\d+|nvme\d+n\d+|sd[a-z]+|vd[a-z]+)")))
        # Seconds: without any progress of the disk; without an answer of the server while it writes.
        self.stall_seconds = float(values.get("stall_seconds", 120))
        self.patience_seconds = float(values.get("patience_seconds", 600))
        self.timeout_seconds = float(values.get("timeout_seconds", 30))

    @staticmethod
    def load(path: Path) -> "Config":
        return Config(json.loads(path.read_text()))

    def allows(self, address: str) -> bool:
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(client, "ipv4_mapped", None)
        return any((mapped or client) in network for network in self.allowed_ips)


# -- What the system says ------------------------------------------------------------------------------------------------


def read_text(path: str) -> str:
    """What a file of /sys or /proc says; empty when there is none. Device-tree strings end with a NUL."""
    try:
        return Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return ""


def read_number(path: str) -> int:
    text = read_text(path)
    return int(text) if text.lstrip("-").isdigit() else 0


class Mount(NamedTuple):
    device: str  # MAJOR:MINOR
    place: str
    kind: str
    source: str


def unescape(text: str) -> str:
    """/proc writes blanks in names as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def mounts() -> List[Mount]:
    found = []
    for line in read_text("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if len(before) >= 5 and len(after) >= 2:
            found.append(Mount(before[2], unescape(before[4]), after[0], unescape(after[1])))
    return found


def disks_below(device: str, seen: Optional[Set[str]] = None) -> Set[str]:
    """Names of the whole disks (`mmcblk0`) that a block device MAJOR:MINOR lies on, through partitions, LVM, RAID and loops."""
    known = seen if seen is not None else set()
    place = os.path.realpath(f"/sys/dev/block/{device}")
    if device in known or not os.path.isdir(place):
        return set()
    known.add(device)
    if os.path.exists(f"{place}/partition"):
        place = os.path.dirname(place)
    found = {os.path.basename(place)}
    slaves = f"{place}/slaves"
    for slave in os.listdir(slaves) if os.path.isdir(slaves) else []:
        found |= disks_below(read_text(f"{slaves}/{slave}/dev"), known)
    backing = read_text(f"{place}/loop/backing_file")
    if backing and os.path.exists(backing):
        found |= disks_below(device_of(os.stat(backing)), known)
    return found


def number_of(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def device_of(info: os.stat_result) -> str:
    """The block device that a path is, or that its file lies on."""
    return number_of(info.st_rdev if stat.S_ISBLK(info.st_mode) else info.st_dev)


def disks_of_mount(mount: Mount) -> Set[str]:
    """Btrfs and others give no real device number: then the source says it."""
    found = disks_below(mount.device)
    if not found and mount.source.startswith("/dev/"):
        try:
            found = disks_below(number_of(os.stat(mount.source).st_rdev))
        except OSError:
            return set()
    return found


def disks_of_swap() -> Set[str]:
    found: Set[str] = set()
    for line in read_text("/proc/swaps").splitlines()[1:]:
        try:
            found |= disks_below(device_of(os.stat(unescape(line.split()[0]))))
        except OSError:
            continue
    return found


def use_of(disk: str) -> Optional[Refusal]:
    """Why a disk must not be written, as far as the system uses it."""
    for mount in mounts():
        if disk not in disks_of_mount(mount):
            continue
        if mount.place == "/":
            return Refusal("root-disk", f"/dev/{disk} holds the system that runs now. Boot the Pi from the network first.")
        return Refusal("mounted", f"/dev/{disk} is mounted at {mount.place}. Unmount it: umount {mount.place}")
    if disk in disks_of_swap():
        return Refusal("swap", f"/dev/{disk} holds swap space that is in use. Switch it off: swapoff -a")
    holders = holders_of(Path(f"/sys/block/{disk}"))
    if holders:
        sentence = f"/dev/{disk} is a part of {', '.join(holders)} (LVM, RAID or encryption). Take that apart, or reboot without it."
        return Refusal("in-use", sentence)
    return None


def holders_of(place: Path) -> List[str]:
    """What lies on a disk or on its partitions without being mounted. @param place of the disk in /sys/block."""
    parts = [place, *(mark.parent for mark in place.glob("*/partition"))]
    return sorted({holder.name for part in parts for holder in part.glob("holders/*")})


def is_netbooted() -> bool:
    """Whether the root comes over the network, also as the lower layer of an overlay."""
    kinds = {mount.kind for mount in mounts() if mount.place == "/"}
    if "overlay" in kinds:
        return any(mount.kind.startswith("nfs") for mount in mounts())
    return any(kind.startswith("nfs") for kind in kinds)


# -- Inventory -----------------------------------------------------------------------------------------------------------


def identity_of(disk: str) -> str:
    """What tells this disk from all others of its kind: CID of a card, WWID, serial number."""
    place = f"/sys/block/{disk}"
    for name in ("device/cid", "wwid", "device/wwid", "device/serial", "serial", "loop/backing_file"):
        text = read_text(f"{place}/{name}")
        if text:
            return text
    return ""


def content_of(path: str) -> str:
    """What is on a disk or partition, by its magic numbers; empty text when unknown or unreadable."""
    try:
        with open(path, "rb", buffering=0) as file:
            start = file.read(BLOCK)
            # Some file systems leave the first blocks to others; btrfs begins at 64 KiB.
            more = b"" if any(start) else file.read(MIB)
    except OSError:
        return ""
    if start[1080:1082] == b"\x53\xef":
        return "ext"
    if start[510:512] != b"\x55\xaa":
        return "empty" if start and not any(start) and not any(more) else ""
    if start[512:520] == b"EFI PART":
        return "gpt"
    return "fat" if start[54:57] == b"FAT" or start[82:87] == b"FAT32" else "mbr"


def describe_disk(disk: str) -> Dict[str, Any]:
    place = f"/sys/block/{disk}"
    partitions = sorted(os.path.basename(str(path.parent)) for path in Path(place).glob("*/partition"))
    use = use_of(disk)
    return {
        "path": f"/dev/{disk}",
        "size": read_number(f"{place}/size") * 512,
        "model": read_text(f"{place}/device/model") or read_text(f"{place}/device/name"),
        "serial": read_text(f"{place}/device/serial") or read_text(f"{place}/serial"),
        "identity": identity_of(disk),
        "diskseq": read_number(f"{place}/diskseq"),
        "readOnly": read_number(f"{place}/ro") == 1,
        "removable": read_number(f"{place}/removable") == 1,
        "content": content_of(f"/dev/{disk}"),
        "partitions": [
            {"path": f"/dev/{each}", "size": read_number(f"{place}/{each}/size") * 512, "content": content_of(f"/dev/{each}")}
            for each in partitions
        ],
        "use": None if use is None else use.describe(),
    }


def list_disks(config: Config) -> List[Dict[str, Any]]:
    names = sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else []
    wanted = [each for each in names if config.devices.fullmatch(f"/dev/{each}")]
    return [describe_disk(each) for each in wanted if read_number(f"/sys/block/{each}/size") > 0]


def address_of(interface: str) -> str:
    SIOCGIFADDR = 0x8915
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            answer = fcntl.ioctl(control.fileno(), SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return ""
    return socket.inet_ntoa(answer[20:24])


def list_network() -> List[Dict[str, Any]]:
    names = sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else []
    return [
        {
            "name": name,
            "mac": read_text(f"/sys/class/net/{name}/address"),
            "state": read_text(f"/sys/class/net/{name}/operstate"),
            "speed": max(0, read_number(f"/sys/class/net/{name}/speed")),
            "address": address_of(name),
        }
        for name in names
        if name != "lo"
    ]


def bootloader() -> Dict[str, Any]:
    place = "/proc/device-tree/chosen/bootloader"
    found: Dict[str, Any] = {"version": read_text(f"{place}/version")}
    try:
        found["builtAt"] = struct.unpack(">I", Path(f"{place}/build-timestamp").read_bytes()[:4])[0]
    except (OSError, struct.error):
        found["builtAt"] = 0
    found["config"] = ""
    program = shutil.which("vcgencmd")
    if program is not None:
        try:
            answer = subprocess.run([program, "bootloader_config"], capture_output=True, timeout=5, check=True)
            found["config"] = answer.stdout.decode(errors="replace")[:16384]
        except (OSError, subprocess.SubprocessError):
            log.info("vcgencmd does not tell the bootloader's configuration")
    return found


def take_inventory(config: Config) -> Dict[str, Any]:
    memory = re.search(r"MemTotal:\s+(\d+)", read_text("/proc/meminfo"))
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', read_text("/etc/os-release"), re.MULTILINE)
    return {
        "model": read_text("/proc/device-tree/model"),
        "serial": read_text("/proc/device-tree/serial-number"),
        "memory": int(memory.group(1)) * 1024 if memory else 0,
        "disks": list_disks(config),
        "network": list_network(),
        "kernel": os.uname().release,
        "architecture": os.uname().machine,
        "os": system.group(1) if system else "",
        "temperature": read_number("/sys/class/thermal/thermal_zone0/temp") / 1000,
        "throttled": read_text("/sys/devices/platform/soc/soc:firmware/get_throttled"),
        "bootloader": bootloader(),
        "zstd": config.zstd and Zstd.load() is not None,
        "bootId": read_text("/proc/sys/kernel/random/boot_id"),
    }


# -- Memory and compression ----------------------------------------------------------------------------------------------

LIBC = ctypes.CDLL(None)
LIBC.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


class Buffer:
    """Memory of one chunk, aligned to a page as O_DIRECT wants it."""

    def __init__(self, size: int = CHUNK) -> None:
        self._memory = mmap.mmap(-1, size)
        self.size = size
        self.view = memoryview(self._memory)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

    def is_zero(self, start: int, length: int) -> bool:
        for at in range(start, start + length, PIECE):
            count = min(PIECE, start + length - at)
            if LIBC.memcmp(self.address + at, ZEROS.address, count) != 0:
                return False
        return True


ZEROS = Buffer(PIECE)


class Zstd:
    """libzstd.so.1 through ctypes: wherever dpkg or systemd is, it is too."""

    _loaded: Optional["Zstd"] = None
    _tried = False

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.ZSTD_decompress.restype = ctypes.c_size_t
        library.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
        library.ZSTD_isError.argtypes = [ctypes.c_size_t]

    @classmethod
    def load(cls) -> Optional["Zstd"]:
        if not cls._tried:
            cls._tried = True
            try:
                cls._loaded = cls(ctypes.CDLL("libzstd.so.1"))
            except OSError:
                log.info("libzstd.so.1 is missing: chunks come uncompressed")
        return cls._loaded

    def unpack(self, packed: Buffer, length: int, buffer: Buffer) -> int:
        """@param length of what is packed. @raise ValueError when it is not one frame of at most a chunk."""
        count = self._library.ZSTD_decompress(buffer.address, buffer.size, packed.address, length)
        if self._library.ZSTD_isError(count):
            raise ValueError("not a zstd frame")
        return int(count)


# -- The map of an image -------------------------------------------------------------------------------------------------

Run = Tuple[int, int]  # bytes of the disk: start, length


class Chunk(NamedTuple):
    number: int
    at: int
    length: int
    packed: bool
    sha256: str
    data: List[Run]
    zero: List[Run]

    @property
    def data_bytes(self) -> int:
        return sum(length for _, length in self.data)


class ImageMap:
    """What to fetch, to write and to prove. Everything in it is checked: a wrong number would write to a wrong place."""

    def __init__(self, text: bytes) -> None:
        values = json.loads(text)
        if values["v"] != 1 or values["blockSize"] != BLOCK or values["chunkBlocks"] * BLOCK != CHUNK:
            raise ValueError("a map of another version")
        self.size = int(values["size"])
        self.pack = str(values["pack"]["sha256"])
        self.pack_size = int(values["pack"]["size"])
        self.chunks = [self._chunk(each) for each in values["chunks"]]
        numbers = [chunk.number for chunk in self.chunks]
        if numbers != sorted(set(numbers)):
            raise ValueError("chunks out of order")
        self.data_bytes = sum(chunk.data_bytes for chunk in self.chunks)
        self.zero_bytes = sum(length for chunk in self.chunks for _, length in chunk.zero)

    def _chunk(self, values: List[Any]) -> Chunk:
        number, at, length, codec, sha256, data, zero = values
        if number < 0 or at < 0 or not 0 <= length <= CHUNK or at + length > self.pack_size or codec not in (0, 1):
            raise ValueError(f"chunk {number} is not in the pack")
        chunk = Chunk(number, at, length, codec == 1, sha256, self._runs(number, data), self._runs(number, zero))
        if (length == 0) != (not chunk.data):
            raise ValueError(f"chunk {number} has data without bytes")
        return chunk

    def _runs(self, number: int, numbers: List[int]) -> List[Run]:
        runs = []
        behind = 0
        for start, count in zip(numbers[::2], numbers[1::2]):
            if start < behind or count <= 0 or start + count > CHUNK // BLOCK:
                raise ValueError(f"chunk {number} has a run outside of it")
            behind = start + count
            if number * CHUNK + behind * BLOCK >= self.size + BLOCK:
                raise ValueError(f"chunk {number} reaches beyond the image")
            runs.append((number * CHUNK + start * BLOCK, count * BLOCK))
        return runs


class Marks:
    """A bit per chunk: those that are on the disk for certain."""

    def __init__(self, count: int, text: str = "") -> None:
        self._bits = bytearray((count + 7) // 8)
        known = base64.b64decode(text)
        self._bits[: len(known)] = known[: len(self._bits)]

    def __contains__(self, number: int) -> bool:
        return bool(self._bits[number >> 3] & (1 << (number & 7)))

    def add(self, number: int) -> None:
        self._bits[number >> 3] |= 1 << (number & 7)

    def remove(self, number: int) -> None:
        self._bits[number >> 3] &= ~(1 << (number & 7)) & 0xFF

    def __str__(self) -> str:
        return base64.b64encode(bytes(self._bits)).decode()


# -- The disk ------------------------------------------------------------------------------------------------------------

BLKROGET = 0x125E
BLKRRPART = 0x125F
BLKGETSIZE64 = 0x80081272
BLKDISCARD = 0x1277
BLKZEROOUT = 0x127F
WRITE_TRIES = 3


class Disk:
    """A whole disk, opened for us alone and past the page cache: what it answers is what it holds."""

    def __init__(self, path: str, descriptor: int, size: int) -> None:
        self.path = path
        self.name = os.path.basename(path)
        self.size = size
        self._descriptor = descriptor
        self._sequence = self._read_sequence()
        self._discards = read_number(f"/sys/block/{self.name}/queue/discard_max_bytes") > 0
        self._zeroes = read_number(f"/sys/block/{self.name}/queue/write_zeroes_max_bytes") > 0

    @staticmethod
    def check(config: Config, path: str, needed: int, identity: Optional[Dict[str, Any]] = None) -> None:
        """@raise Refusal when the disk must not be written; the sentence says what to do."""
        if not config.devices.fullmatch(path):
            raise Refusal("unknown-path", f"{path} is not a disk that is written here, such as /dev/mmcblk0 or /dev/nvme0n1.")
        disk = os.path.basename(path)
        place = f"/sys/block/{disk}"
        if not os.path.exists(path) or not stat.S_ISBLK(os.stat(path).st_mode) or not os.path.isdir(place):
            raise Refusal("no-such-disk", f"There is no disk {path} in this Pi. Is the card in its slot?")
        if number_of(os.stat(path).st_rdev) != read_text(f"{place}/dev"):
            raise Refusal("no-such-disk", f"{path} is not the disk of that name.")
        use = use_of(disk)
        if use is not None:
            raise use
        Disk._check_identity(disk, identity or {})
        if read_number(f"{place}/ro") == 1:
            raise Refusal("read-only", f"{path} is read-only. Has the card a write-protect switch?")
        size = read_number(f"{place}/size") * 512
        if size < needed:
            raise Refusal("too-small", f"{path} has {size} bytes, the image {needed}.", size=size, needed=needed)

    @staticmethod
    def _check_identity(disk: str, confirmed: Dict[str, Any]) -> None:
        now = {"size": read_number(f"/sys/block/{disk}/size") * 512, "identity": identity_of(disk)}
        for name, value in now.items():
            wanted = confirmed.get(name)
            if wanted is not None and wanted != value:
                sentence = f"/dev/{disk} is another disk than the one that was confirmed: its {name} is {value or 'unknown'}, not {wanted}."
                raise Refusal("other-disk", sentence)

    @staticmethod
    def open(path: str) -> "Disk":
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise Refusal("in-use", f"{path} is in use by another program.") from error
            if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise Refusal("read-only", f"{path} cannot be written: {error.strerror}.") from error
            raise Refusal("no-such-disk", f"{path} cannot be opened: {error.strerror}.") from error
        # A read-only disk can be opened for writing; only the write fails.
        if struct.unpack("i", fcntl.ioctl(descriptor, BLKROGET, b"\0" * 4))[0] != 0:
            os.close(descriptor)
            raise Refusal("read-only", f"{path} is read-only. Has the card a write-protect switch?")
        size = struct.unpack("Q", fcntl.ioctl(descriptor, BLKGETSIZE64, b"\0" * 8))[0]
        return Disk(path, descriptor, size)

    def close(self) -> None:
        os.close(self._descriptor)

    def _read_sequence(self) -> int:
        return read_number(f"/sys/block/{self.name}/diskseq")

    def check_still_there(self) -> None:
        if self._read_sequence() != self._sequence or not os.path.isdir(f"/sys/block/{self.name}"):
            raise Failure("disk-removed", f"{self.path} was removed or replaced while it was written.")

    def _clip(self, start: int, length: int) -> int:
        """A block behind the end of the image may be cut by the end of the disk."""
        return max(0, min(length, self.size - start))

    def write(self, start: int, view: memoryview) -> None:
        length = self._clip(start, len(view))
        done = 0
        tries = 0
        while done < length:
            try:
                done += os.pwritev(self._descriptor, [view[done:length]], start + done)
            except OSError as error:
                tries += 1
                if tries >= WRITE_TRIES:
                    raise self._broken("write", error, start + done) from error

    def read(self, start: int, view: memoryview) -> None:
        """What is behind the end of the disk reads as zeros."""
        length = self._clip(start, len(view))
        done = 0
        while done < length:
            try:
                count = os.preadv(self._descriptor, [view[done:length]], start + done)
            except OSError as error:
                raise self._broken("read", error, start + done) from error
            if count == 0:
                raise Failure("disk-removed", f"{self.path} ends at byte {start + done}.")
            done += count
        view[length:] = bytes(len(view) - length)

    def _broken(self, what: str, error: OSError, offset: Optional[int] = None) -> Failure:
        """@raise Failure when it is gone: then that is why."""
        self.check_still_there()
        where = "" if offset is None else f" at byte {offset}"
        sentence = f"{self.path} failed to {what}{where}: {error.strerror}. The disk is broken or loose; try another."
        facts: Dict[str, Any] = {} if offset is None else {"offset": offset}
        return Failure("disk-error", sentence, errno=errno.errorcode.get(error.errno or 0, ""), **facts)

    def sync(self) -> None:
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise self._broken("keep what was written", error) from error
        self.check_still_there()

    def zero(self, start: int, length: int, scratch: Buffer) -> int:
        """Makes a range read as zeros; writes only where it does not. Gives how many bytes had to be written."""
        if self._zeroes and self._control(BLKZEROOUT, start, self._clip(start, length)):
            length = self._clip(start, length)
        written = 0
        for at in range(start, start + length, PIECE):
            view = scratch.view[: min(PIECE, start + length - at)]
            self.read(at, view)
            if not scratch.is_zero(0, len(view)):
                self.write(at, ZEROS.view[: len(view)])
                written += len(view)
        return written

    def discard(self, report: Callable[[float], None]) -> None:
        """Tells the disk that nothing on it is needed: for speed and wear only, what it reads as then is not known."""
        step = 1024 * MIB
        for start in range(0, self.size if self._discards else 0, step):
            if not self._control(BLKDISCARD, start, min(step, self.size - start)):
                return
            report(start / self.size)

    def _control(self, request: int, start: int, length: int) -> bool:
        if length <= 0 or length % 512 != 0:
            return False
        try:
            fcntl.ioctl(self._descriptor, request, struct.pack("QQ", start, length))
            return True
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY, errno.EIO):
                raise self._broken("clear", error, start) from error
            return False

    def reread_partitions(self) -> None:
        """Not every disk has partitions for the kernel to find (a loop device has none)."""
        try:
            fcntl.ioctl(self._descriptor, BLKRRPART)
        except OSError as error:
            log.info("the kernel does not read the partitions of %s again: %s", self.path, error.strerror)


# -- Progress ------------------------------------------------------------------------------------------------------------


class Progress:
    """How far a write is, for everybody who asks. `percent` never falls: 0-10 wiping, 10-95 writing and verifying, 95-100."""

    RANGES = {"wiping": (0, 10), "writing": (10, 95), "verifying": (10, 95), "syncing": (95, 100)}

    def __init__(self, job: str, device: str) -> None:
        self.job = job
        self.device = device
        self.stage = "wiping"
        self.percent = 0.0
        self.bytes_done = 0
        self.bytes_total = 0
        self.wire = 0
        self.zeroed = 0
        self.verified = 0
        self.retries = 0
        self.error: Optional[Failure] = None
        self.moved = time.monotonic()
        self.cancelled = threading.Event()

    def move(self, stage: str, share: float) -> None:
        """@raise Cancelled when somebody asked for it. @param share of the stage's range, 0 to 1."""
        if self.cancelled.is_set():
            raise self.error or Cancelled("cancelled", "The write was cancelled. The disk does not boot.")
        first, last = self.RANGES[stage]
        self.stage = stage
        self.percent = max(self.percent, first + (last - first) * min(1.0, share))
        self.moved = time.monotonic()

    def alive(self) -> None:
        self.moved = time.monotonic()

    def finish(self, error: Optional[Failure] = None) -> None:
        self.error = self.error or error
        if self.error is None:
            self.stage, self.percent = "complete", 100.0
        else:
            self.stage = "cancelled" if isinstance(self.error, Cancelled) else "failed"

    @property
    def is_over(self) -> bool:
        return self.stage in ("complete", "failed", "cancelled")

    def describe(self) -> Dict[str, Any]:
        return {
            "job": self.job,
            "device": self.device,
            "stage": self.stage,
            "percent": round(self.percent, 1),
            "bytesDone": self.bytes_done,
            "bytesTotal": self.bytes_total,
            "wireBytes": self.wire,
            "zeroedBytes": self.zeroed,
            "verifiedBytes": self.verified,
            "retries": self.retries,
            "error": None if self.error is None else self.error.describe(),
        }


class Watchdog:
    """A disk that hangs is a failure after a while; one that is slow never is."""

    def __init__(self, progress: Progress, seconds: float, on_stall: Callable[[], Any]) -> None:
        self._progress = progress
        self._seconds = seconds
        self._on_stall = on_stall
        self._stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._stopped.wait(min(1.0, self._seconds / 4)):
            if time.monotonic() - self._progress.moved < self._seconds:
                continue
            sentence = f"{self._progress.device} has not moved for {self._seconds:.0f} seconds. The disk hangs; try another."
            self._progress.finish(Failure("stalled", sentence))
            self._progress.cancelled.set()
            self._on_stall()
            return

    def stop(self) -> None:
        self._stopped.set()


# -- HTTP ----------------------------------------------------------------------------------------------------------------


class Unreachable(Exception):
    """The other side gives no answer, or none that can be used: worth another try."""


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: http.client.HTTPMessage


class Signer:
    """Signs requests with the secret of this boot, and checks the answers. A Pi has no clock: the server's is taken."""

    def __init__(self, agent_id: str, secret: str) -> None:
        self._agent_id = agent_id
        self._key = secret.encode()
        self._offset = 0.0

    def _mac(self, *lines: str) -> str:
        return hmac.new(self._key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()

    def headers(self, method: str, path: str, body: bytes) -> Dict[str, str]:
        nonce = secrets.token_hex(16)
        now = str(int((time.time() + self._offset) * 1000))
        return {
            "X-Netboot-Agent": self._agent_id,
            "X-Netboot-Time": now,
            "X-Netboot-Nonce": nonce,
            "X-Netboot-Signature": self._mac("request", method, path, hashlib.sha256(body).hexdigest(), now, nonce),
        }

    def is_answer(self, nonce: str, answer: Answer) -> bool:
        expected = self._mac("answer", nonce, str(answer.status), hashlib.sha256(answer.body).hexdigest())
        return hmac.compare_digest(expected, str(answer.headers.get("X-Netboot-Signature", "")))

    def take_time(self, milliseconds: float) -> None:
        self._offset = milliseconds / 1000 - time.time()


class Link:
    """A kept connection to one host; for one thread."""

    def __init__(self, base: str, timeout: float) -> None:
        parts = urllib.parse.urlsplit(base)
        if parts.scheme != "http" or parts.hostname is None:
            raise Failure("bad-url", f"{base} is not an address that starts with http://.")
        self._host = parts.hostname
        self._port = parts.port or 80
        self._timeout = timeout
        self._connection: Optional[http.client.HTTPConnection] = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, method: str, path: str, headers: Dict[str, str], body: bytes, limit: int) -> Answer:
        """@param limit bytes of the answer. @raise Unreachable."""
        with self._ask(method, path, headers, body) as response:
            return self._read(response, limit)

    def download(self, path: str, headers: Dict[str, str], status: int, view: memoryview) -> Answer:
        """Fills a view when the answer has this status; of any other answer only the start is read. @raise Unreachable."""
        with self._ask("GET", path, headers, b"") as response:
            if response.status != status:
                return self._read(response, MAX_REFUSAL)
            count = response.readinto(view)
            # Of a proxy the length may be unknown before the end.
            if count != len(view) or response.read(1):
                raise http.client.HTTPException(f"not the {len(view)} bytes that were asked for")
            return Answer(response.status, b"", response.headers)

    @contextlib.contextmanager
    def _ask(self, method: str, path: str, headers: Dict[str, str], body: bytes) -> Iterator[http.client.HTTPResponse]:
        """The connection is closed where asking or reading fails. @raise Unreachable."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            self._connection.request(method, path, body=body or None, headers=headers)
            yield self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{self._host}:{self._port}: {error or type(error).__name__}") from error

    @staticmethod
    def _read(response: http.client.HTTPResponse, limit: int) -> Answer:
        content = response.read(limit + 1)
        if len(content) > limit:
            raise http.client.HTTPException(f"more than {limit} bytes")
        return Answer(response.status, content, response.headers)


class Server:
    """The netboot server, as an agent speaks with it. Each thread takes its own."""

    PREFIX = "/api/v1/agent"

    def __init__(self, config: Config, signer: Signer) -> None:
        self._config = config
        self._link = Link(config.server, config.timeout_seconds)
        self._signer = signer

    def ask(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """@raise Unreachable, Failure when the server refuses."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._signed(method, f"{self.PREFIX}/{path}", content)
        try:
            values = json.loads(answer.body) if answer.body else {}
        except ValueError as error:
            raise Unreachable(f"the answer to {path} is no JSON") from error
        return values if isinstance(values, dict) else {}

    def map(self, name: str) -> bytes:
        return self._signed("GET", f"{self.PREFIX}/map/{name}", b"").body

    def _signed(self, method: str, path: str, body: bytes) -> Answer:
        for _ in range(2):
            headers = {**self._signer.headers(method, path, body), "Content-Type": "application/json"}
            answer = self._link.request(method, path, headers, body, MAX_JSON)
            if not self._signer.is_answer(headers["X-Netboot-Nonce"], answer):
                raise Unreachable(f"the answer to {path} (status {answer.status}) is not signed by our server")
            if answer.status < 300:
                return answer
            refusal = self._refusal(answer)
            if refusal.code != "agent-clock":
                break
            self._signer.take_time(float(refusal.facts.get("time", 0)))
        if answer.status >= 500:
            raise Unreachable(refusal.message)
        raise refusal

    @staticmethod
    def _refusal(answer: Answer) -> Failure:
        try:
            error = json.loads(answer.body)["error"]
            facts = {"time": error["time"]} if "time" in error else {}
            return Failure(str(error["code"]), str(error["message"]), **facts)
        except (ValueError, KeyError, TypeError):
            return Failure("server-refused", f"The server answers with status {answer.status}.")


class Source:
    """Where a pack can be fetched from: the server, or another agent that has it. Its bytes are proved by the map.

    @param raw: path below which the server gives a chunk uncompressed; for who cannot unpack.
    """

    def __init__(
        self, url: str, timeout: float, signer: Optional[Signer] = None, token: str = "", raw: Optional[str] = None
    ) -> None:
        self.url = url
        self._raw = raw
        self._path = urllib.parse.urlsplit(url).path
        self._link = Link(url, timeout)
        self._signer = signer
        self._token = token

    def fetch(self, chunk: Chunk, buffer: Buffer) -> Tuple[int, bool]:
        """@return how many bytes, and whether they are packed. @raise Unreachable, Failure when the source does not have them."""
        if chunk.packed and self._raw is not None:
            return self._get(f"{self._raw}/{chunk.number}", {}, 200, buffer.view[: chunk.data_bytes]), False
        span = {"Range": f"bytes={chunk.at}-{chunk.at + chunk.length - 1}"}
        return self._get(self._path, span, 206, buffer.view[: chunk.length]), chunk.packed

    def _get(self, path: str, more: Dict[str, str], status: int, view: memoryview) -> int:
        headers = self._signer.headers("GET", path, b"") if self._signer else {"X-Netboot-Token": self._token}
        answer = self._link.download(path, {**headers, **more}, status, view)
        if answer.status == status:
            return len(view)
        if answer.status in (404, 410):
            raise Failure("pack-gone", "The server no longer has this build of the image. Start the write again.")
        raise Unreachable(f"{self.url} answers with status {answer.status}")


class Backoff:
    """Half a second, then longer, ten at most; until patience ends. Success starts it anew."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._pause = 0.5
        self._since: Optional[float] = None

    def good(self) -> None:
        self._pause = 0.5
        self._since = None

    def wait(self, why: str) -> None:
        """@raise Failure when there was no success for as long as patience lasts."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._patience:
            raise Failure("unreachable", f"The server cannot be reached: {why}.")
        time.sleep(min(self._pause, self._patience))
        self._pause = min(10.0, self._pause * 2)


# -- Fetching chunks -----------------------------------------------------------------------------------------------------


class Fetched(NamedTuple):
    chunk: Chunk
    buffer: Buffer


HASH_TRIES = 3
PEER_STRIKES = 2


class Fetcher:
    """Fetches chunks in order, some at once, proves them, and hands them to the one who writes.

    @param sources gives a thread its sources: the last one is the server, those before it may fail.
    @param strikes counts how often each did.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk],
        buffers: int,
        sources: Callable[[], List[Source]],
        strikes: Dict[str, int],
        patience: float,
        progress: Progress,
    ) -> None:
        self._wanted: Iterator[Chunk] = iter(chunks)
        self._lock = threading.Lock()
        self._free: "queue.Queue[Buffer]" = queue.Queue()
        self._ready: "queue.Queue[object]" = queue.Queue()
        self._stopped = threading.Event()
        self._strikes = strikes
        self._patience = patience
        self._progress = progress
        for _ in range(buffers):
            self._free.put(Buffer())
        self._threads = [threading.Thread(target=self._run, args=(sources,), daemon=True) for _ in range(FETCHERS)]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Fetched]:
        """Gives what arrived; each must be given back. @raise what went wrong."""
        left = FETCHERS
        while left > 0:
            try:
                item = self._ready.get(timeout=0.5)
            except queue.Empty:
                self._progress.move(self._progress.stage, 0)
                continue
            if item is None:
                left -= 1
            elif isinstance(item, Fetched):
                yield item
            elif isinstance(item, BaseException):
                raise item

    def give_back(self, fetched: Fetched) -> None:
        self._free.put(fetched.buffer)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=1)

    def _take(self) -> Optional[Chunk]:
        with self._lock:
            return None if self._stopped.is_set() else next(self._wanted, None)

    def _run(self, sources: Callable[[], List[Source]]) -> None:
        try:
            mine = sources()
            arriving = Buffer()
            chunk = self._take()
            while chunk is not None:
                self._ready.put(self._fetch(chunk, arriving, mine))
                chunk = self._take()
            self._ready.put(None)
        except BaseException as error:  # pylint: disable=broad-except
            # Handed over whole: the writer raises it.
            self._ready.put(error)

    def _free_buffer(self) -> Buffer:
        """@raise Cancelled when nobody gives one back any more."""
        while not self._stopped.is_set():
            try:
                return self._free.get(timeout=0.5)
            except queue.Empty:
                continue
        raise Cancelled("cancelled", "The write was cancelled. The disk does not boot.")

    def _fetch(self, chunk: Chunk, arriving: Buffer, sources: List[Source]) -> Fetched:
        backoff = Backoff(self._patience)
        wrong = 0
        while not self._stopped.is_set():
            usable = [each for each in sources[:-1] if self._strikes[each.url] < PEER_STRIKES] + sources[-1:]
            source = usable[0]
            try:
                count, is_packed = source.fetch(chunk, arriving)
                fetched = self._unpack(chunk, arriving, count, is_packed)
                self._count(wire=count)
                return fetched
            except (Unreachable, ValueError) as error:
                self._count(retries=1)
                self._progress.alive()
                log.info("chunk %d from %s: %s", chunk.number, source.url, error)
                if source is not sources[-1]:
                    self._strikes[source.url] += 1
                    continue
                wrong += 1 if isinstance(error, ValueError) else 0
                if wrong >= HASH_TRIES:
                    raise Failure("bad-data", f"Chunk {chunk.number} of the image arrives damaged, again and again.") from error
                backoff.wait(str(error))
            except Failure:
                if source is sources[-1]:
                    raise
                self._strikes[source.url] += PEER_STRIKES
        raise Cancelled("cancelled", "The write was cancelled. The disk does not boot.")

    def _count(self, wire: int = 0, retries: int = 0) -> None:
        with self._lock:
            self._progress.wire += wire
            self._progress.retries += retries

    def _unpack(self, chunk: Chunk, arrived: Buffer, count: int, is_packed: bool) -> Fetched:
        """@raise ValueError when these are not the bytes that the map names."""
        buffer = self._free_buffer()
        try:
            length = self._copy(arrived, count, is_packed, buffer)
            if length != chunk.data_bytes or hashlib.sha256(buffer.view[:length]).hexdigest() != chunk.sha256:
                raise ValueError("its hash is wrong")
        except ValueError:
            self._free.put(buffer)
            raise
        return Fetched(chunk, buffer)

    @staticmethod
    def _copy(arrived: Buffer, count: int, is_packed: bool, buffer: Buffer) -> int:
        """@raise ValueError when it cannot be unpacked."""
        if not is_packed:
            buffer.view[:count] = arrived.view[:count]
            return count
        zstd = Zstd.load()
        if zstd is None:
            raise ValueError("it is packed, and libzstd.so.1 is missing")
        return zstd.unpack(arrived, count, buffer)


# -- Writing an image ----------------------------------------------------------------------------------------------------

VERIFY_MODES = ("full", "sample", "none")
WIPED = MIB


def wipe_ends(disk: Disk, image_size: int, fresh: bool) -> None:
    """Takes the partition tables away: a disk that is written halfway must not boot, and an old GPT must not come back."""
    disk.write(0, ZEROS.view[: min(WIPED, disk.size)])
    tail = max(0, disk.size - WIPED) // BLOCK * BLOCK
    start = tail if fresh else max(tail, (image_size + BLOCK - 1) // BLOCK * BLOCK)
    length = disk.size - start
    if length > 0:
        disk.write(start, ZEROS.view[:length])
    disk.sync()


def wipe_start(disk: Disk) -> None:
    """After a failure at the very end. The failure is what counts: a disk that does not even take this is broken anyway."""
    try:
        disk.write(0, ZEROS.view[: min(WIPED, disk.size)])
        disk.sync()
    except Failure as failure:
        log.warning("the start of %s cannot be wiped again: %s", disk.path, failure.message)


class Settling:
    """A batch that the disk is at work to keep. Its thread holds up nobody who ends the program: a disk may hang."""

    def __init__(self, settle: Callable[[List[int]], None], numbers: List[int]) -> None:
        self._error: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, args=(settle, numbers), daemon=True)
        self._thread.start()

    def _run(self, settle: Callable[[List[int]], None], numbers: List[int]) -> None:
        try:
            settle(numbers)
        except BaseException as error:  # pylint: disable=broad-except
            # Handed over whole: the writer raises it.
            self._error = error

    def wait(self) -> None:
        self._thread.join()

    def result(self) -> None:
        """@raise what went wrong."""
        self.wait()
        if self._error is not None:
            raise self._error


class ImageWrite:
    """One write of a mapped image to one disk."""

    def __init__(
        self,
        disk: Disk,
        image: ImageMap,
        sources: Callable[[], List[Source]],
        progress: Progress,
        done: str = "",
        verify: str = "full",
        patience: float = 600,
        report: Callable[[Marks], None] = lambda durable: None,
    ) -> None:
        last = image.chunks[-1].number if image.chunks else 0
        self.durable = Marks(last + 1, done)
        self._disk = disk
        self._image = image
        self._sources = sources
        self._progress = progress
        self._verify = verify
        self._patience = patience
        self._report = report
        self._fresh = not any(chunk.number in self.durable for chunk in image.chunks)
        self._scratch = Buffer()
        self._strikes: Dict[str, int] = collections.defaultdict(int)
        to_verify = image.data_bytes if verify == "full" else 0
        self._work = max(1, image.data_bytes + image.zero_bytes + to_verify)
        self._worked = 0
        progress.bytes_total = image.data_bytes

    def run(self) -> None:
        """@raise Failure. Then the disk does not boot."""
        first = [chunk for chunk in self._image.chunks if chunk.number == 0]
        rest = [chunk for chunk in self._image.chunks if chunk.number != 0]
        for chunk in first:
            self.durable.remove(chunk.number)
        self._wipe()
        self._check_earlier(rest)
        self._write(rest)
        self._clear(self._image.chunks)
        self._prove(rest)
        # The start comes last: from here on the disk boots, and all that it boots was proved.
        try:
            self._write(first)
            self._prove(first)
            self._prove_not_wrapped(rest)
            self._progress.move("syncing", 0)
            self._disk.sync()
        except BaseException:
            wipe_start(self._disk)
            raise
        self._disk.reread_partitions()

    def _wipe(self) -> None:
        self._progress.move("wiping", 0)
        wipe_ends(self._disk, self._image.size, self._fresh)
        if self._fresh:
            self._disk.discard(lambda share: self._progress.move("wiping", share))
        self._disk.sync()

    def _check_earlier(self, chunks: List[Chunk]) -> None:
        """What an earlier run wrote is believed when it is read back later anyway; else it is looked at now."""
        for chunk in chunks:
            if chunk.number not in self.durable:
                continue
            if self._verify != "full" and not self._is_right(chunk):
                self.durable.remove(chunk.number)
            else:
                self._count_written(chunk)
            self._progress.alive()

    def _count_written(self, chunk: Chunk) -> None:
        self._progress.bytes_done += chunk.data_bytes
        self._advance("writing", chunk.data_bytes)

    def _advance(self, stage: str, count: int) -> None:
        self._worked += count
        self._progress.move(stage, self._worked / self._work)

    def _write(self, chunks: List[Chunk]) -> None:
        wanted = [chunk for chunk in chunks if chunk.data and chunk.number not in self.durable]
        for chunk in chunks:
            if not chunk.data:
                self.durable.add(chunk.number)
        self._put(wanted, self._count_written)

    def _put(self, chunks: List[Chunk], count: Callable[[Chunk], None]) -> None:
        """Writes go on while the disk keeps those of the batch before: a sync takes as long as many chunks take to arrive."""
        buffers = min(BUFFERS, max(1, len(chunks)))
        fetcher = Fetcher(chunks, buffers, self._sources, self._strikes, self._patience, self._progress)
        unsynced: List[int] = []
        settling: Optional[Settling] = None
        try:
            for fetched in fetcher:
                self._put_one(fetched)
                fetcher.give_back(fetched)
                unsynced.append(fetched.chunk.number)
                count(fetched.chunk)
                if len(unsynced) < BATCH:
                    continue
                if settling is not None:
                    settling.result()
                settling, unsynced = Settling(self._settle, unsynced), []
            if settling is not None:
                settling.result()
        finally:
            fetcher.stop()
            if settling is not None:
                settling.wait()
        self._settle(unsynced)

    def _put_one(self, fetched: Fetched) -> None:
        at = 0
        for start, length in fetched.chunk.data:
            self._disk.write(start, fetched.buffer.view[at : at + length])
            at += length

    def _settle(self, numbers: List[int]) -> None:
        """A chunk counts as durable when a sync that began after it was written has ended."""
        self._disk.sync()
        for number in numbers:
            self.durable.add(number)
        self._report(self.durable)

    def _clear(self, chunks: List[Chunk]) -> None:
        """Makes the zero runs read as zeros. After the data, so that one look at them proves too that no data went astray there."""
        for chunk in chunks:
            for start, length in chunk.zero:
                written = self._disk.zero(start, length, self._scratch)
                self._progress.zeroed += written
                if written > 0 and not self._is_zero(start, length):
                    raise self._not_kept(chunk, start)
                self._progress.verified += length
                self._advance("writing", length)
        self._disk.sync()

    def _is_zero(self, start: int, length: int) -> bool:
        self._disk.read(start, self._scratch.view[:length])
        return self._scratch.is_zero(0, length)

    def _is_right(self, chunk: Chunk) -> bool:
        """Whether the data reads back as it should."""
        digest = hashlib.sha256()
        for start, length in chunk.data:
            view = self._scratch.view[:length]
            self._disk.read(start, view)
            digest.update(view)
        self._progress.verified += chunk.data_bytes
        return not chunk.data or digest.hexdigest() == chunk.sha256

    def _is_whole(self, chunk: Chunk) -> bool:
        return self._is_right(chunk) and all(self._is_zero(start, length) for start, length in chunk.zero)

    def _prove(self, chunks: List[Chunk]) -> None:
        """Reads back; a chunk that is wrong is written once more, then the disk is no good."""
        for index, chunk in enumerate(chunks):
            if not self._is_looked_at(chunk, index, len(chunks)):
                continue
            if not self._is_right(chunk):
                self._mend(chunk)
            self._advance("verifying", chunk.data_bytes if self._verify == "full" else 0)

    def _is_looked_at(self, chunk: Chunk, index: int, count: int) -> bool:
        if self._verify == "sample":
            return index % 16 == 0 or index < 16 or index >= count - 4
        return self._verify == "full"

    def _mend(self, chunk: Chunk) -> None:
        log.warning("chunk %d reads back wrong: written once more", chunk.number)
        self._progress.retries += 1
        self.durable.remove(chunk.number)
        for start, length in chunk.zero:
            self._disk.zero(start, length, self._scratch)
        self._put([chunk] if chunk.data else [], lambda written: None)
        if not self._is_whole(chunk):
            raise self._not_kept(chunk, (chunk.data + chunk.zero)[0][0])

    def _not_kept(self, chunk: Chunk, start: int) -> Failure:
        sentence = f"{self._disk.path} does not keep what is written to it: byte {start} and what follows read back wrong."
        return Failure("verify-failed", sentence + " The disk is broken or counterfeit.", offset=start, chunk=chunk.number)

    def _prove_not_wrapped(self, chunks: List[Chunk]) -> None:
        """A card that pretends to be larger stores the start of the disk where a power of two is: look there once more."""
        if self._verify == "none":
            return
        for chunk in chunks:
            if chunk.number & (chunk.number - 1) == 0 and not self._is_whole(chunk):
                sentence = f"{self._disk.path} holds less than it says: writing its start changed byte {chunk.number * CHUNK}."
                raise Failure("verify-failed", sentence, offset=chunk.number * CHUNK, chunk=chunk.number)


# -- Writing a plain stream (port 8888) ----------------------------------------------------------------------------------


class Stream:
    """The bytes of an .img or .img.gz at an address, from start to end. A cut is a failure, whatever came before."""

    def __init__(self, url: str, timeout: float, headers: Dict[str, str]) -> None:
        parts = urllib.parse.urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
        try:
            self._connection.request("GET", path, headers=headers)
            self._response = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Failure("unreachable", f"{url} cannot be fetched: {error or type(error).__name__}.") from error
        if self._response.status != 200:
            raise Failure("download-failed", f"{url} answers with status {self._response.status}.")
        length = self._response.headers.get("Content-Length") or ""
        self.length = int(length) if length.isdigit() else 0
        self.received = 0
        self._pending = b""
        self._packed = b""
        self._start = self._receive(65536)
        self._unpacker = zlib.decompressobj(31) if self._start[:2] == b"\x1f\x8b" else None

    @property
    def is_compressed(self) -> bool:
        return self._unpacker is not None

    def close(self) -> None:
        self._connection.close()

    def _receive(self, count: int) -> bytes:
        try:
            content = self._response.read(count)
        except (OSError, http.client.HTTPException) as error:
            raise self._cut() from error
        self.received += len(content)
        if not content and self.length and self.received < self.length:
            raise self._cut()
        return content

    def _cut(self) -> Failure:
        return Failure("download-cut", f"The download ended early, after {self.received} of {self.length or 'unknown'} bytes.")

    def _next(self) -> bytes:
        content, self._start = self._start or self._receive(256 * 1024), b""
        return content

    def fill(self, buffer: Buffer) -> int:
        """Fills a chunk; less than one at the end."""
        done = 0
        while done < buffer.size:
            content = self._pending or self._more()
            if not content:
                break
            count = min(len(content), buffer.size - done)
            buffer.view[done : done + count] = content[:count]
            self._pending = content[count:]
            done += count
        return done

    def _more(self) -> bytes:
        """Some unpacked bytes; none at the end."""
        if self._unpacker is None:
            return self._next()
        while True:
            if self._unpacker.eof and not self._begin_member():
                return b""
            content = self._packed or self._next()
            unpacked = self._unpack(content)
            self._packed = self._unpacker.unconsumed_tail
            if unpacked:
                return unpacked
            if not content and not self._unpacker.eof:
                raise self._cut()

    def _begin_member(self) -> bool:
        """A file may be several gzip members one behind the other, with zeros behind the last one."""
        assert self._unpacker is not None
        self._packed = self._unpacker.unused_data.lstrip(b"\0")
        while not self._packed:
            content = self._next()
            if not content:
                return False
            self._packed = content.lstrip(b"\0")
        self._unpacker = zlib.decompressobj(31)
        return True

    def _unpack(self, content: bytes) -> bytes:
        assert self._unpacker is not None
        try:
            return self._unpacker.decompress(content, MIB)
        except zlib.error as error:
            raise Failure("download-damaged", f"The compressed image is damaged: {error}.") from error


class StreamWrite:
    """Writes a plain stream: all of it, the first chunk last, and reads it back."""

    def __init__(self, disk: Disk, stream: Stream, progress: Progress) -> None:
        self._disk = disk
        self._stream = stream
        self._progress = progress
        self._hashes: List[Tuple[int, bytes]] = []

    def run(self) -> None:
        self._progress.move("wiping", 0)
        wipe_ends(self._disk, 0, True)
        self._disk.discard(lambda share: self._progress.move("wiping", share))
        first, buffer = Buffer(), Buffer()
        start_length = self._take(first, 0)
        if start_length == 0:
            raise Failure("download-cut", "The download is empty.")
        at = start_length
        while at > 0 and at % CHUNK == 0:
            length = self._take(buffer, at)
            if length == 0:
                break
            self._put(buffer, at, length)
            at += length
            if (at // CHUNK) % BATCH == 0:
                self._disk.sync()
        self._disk.sync()
        self._progress.bytes_total = at
        self._check(buffer, range(1, len(self._hashes)), at)
        try:
            self._put(first, 0, start_length)
            self._disk.sync()
            self._check(buffer, range(0, 1), at)
            self._progress.move("syncing", 0)
            self._disk.sync()
        except BaseException:
            wipe_start(self._disk)
            raise
        self._disk.reread_partitions()

    def _take(self, buffer: Buffer, at: int) -> int:
        length = self._stream.fill(buffer)
        if at + length > self._disk.size:
            raise Failure("too-small", f"The image is larger than {self._disk.path}, which has {self._disk.size} bytes.")
        if length > 0:
            self._hashes.append((length, hashlib.sha256(buffer.view[:length]).digest()))
        padded = (length + BLOCK - 1) // BLOCK * BLOCK
        buffer.view[length:padded] = bytes(padded - length)
        share = self._stream.received / self._stream.length if self._stream.length else 0
        self._progress.wire = self._stream.received
        self._progress.move("writing", 0.6 * share)
        return length

    def _put(self, buffer: Buffer, at: int, length: int) -> None:
        scratch = Buffer(PIECE)
        for start in range(0, length, PIECE):
            count = (min(PIECE, length - start) + BLOCK - 1) // BLOCK * BLOCK
            if buffer.is_zero(start, count):
                self._progress.zeroed += self._disk.zero(at + start, count, scratch)
            else:
                self._disk.write(at + start, buffer.view[start : start + count])
        self._progress.bytes_done += length
        self._progress.alive()

    def _check(self, buffer: Buffer, numbers: Iterable[int], total: int) -> None:
        for number in numbers:
            length, expected = self._hashes[number]
            padded = (length + BLOCK - 1) // BLOCK * BLOCK
            self._disk.read(number * CHUNK, buffer.view[:padded])
            if hashlib.sha256(buffer.view[:length]).digest() != expected:
                sentence = f"{self._disk.path} does not keep what is written to it: byte {number * CHUNK} and what follows read back wrong."
                raise Failure("verify-failed", sentence, offset=number * CHUNK, chunk=number)
            self._progress.verified += length
            self._progress.move("verifying", 0.6 + 0.4 * self._progress.verified / max(1, total))


# -- The one write at a time ---------------------------------------------------------------------------------------------


class Desk:
    """Gives out the right to write: to one at a time."""

    def __init__(self, config: Config) -> None:
        self.config = config
        # One for all: it learns the server's time where the Pi has no clock.
        self.signer = Signer(config.agent_id, config.secret)
        self.current: Optional[Progress] = None
        self._busy = threading.Lock()

    def run(self, progress: Progress, work: Callable[[], None], on_stall: Callable[[], Any] = lambda: None) -> None:
        """Does the work in this thread; how it went is in the progress. The desk must be taken."""
        watchdog = Watchdog(progress, self.config.stall_seconds, on_stall)
        try:
            work()
            progress.finish()
        except Failure as failure:
            progress.finish(failure)
        except Exception as error:  # pylint: disable=broad-except
            # A fault of ours must not end as a silence.
            log.exception("the write failed")
            progress.finish(Failure("internal", f"The agent failed: {type(error).__name__}: {error}"))
        finally:
            watchdog.stop()
            log.info("%s: %s %s", progress.device, progress.stage, progress.error.message if progress.error else "")
            self._busy.release()

    def take(self, progress: Progress) -> None:
        """@raise Refusal while another write runs."""
        if not self._busy.acquire(blocking=False):
            device = self.current.device if self.current else "a disk"
            raise Refusal("busy", f"This Pi is writing {device} already. Wait until that is over, or cancel it.")
        self.current = progress

    def release(self) -> None:
        self._busy.release()

    @property
    def is_busy(self) -> bool:
        return self._busy.locked()


def write_stream(desk: Desk, device: str, url: str, headers: Dict[str, str]) -> Callable[[], None]:
    """@return what does the work, after the checks. @raise Refusal."""
    config = desk.config
    progress = Progress("", device)
    desk.take(progress)
    try:
        Disk.check(config, device, 1)
        disk = Disk.open(device)
    except BaseException:
        desk.current = None
        desk.release()
        raise

    def work() -> None:
        try:
            stream = Stream(url, config.timeout_seconds, headers)
            try:
                if not stream.is_compressed and stream.length > disk.size:
                    raise Refusal("too-small", f"{device} has {disk.size} bytes, the image {stream.length}.")
                StreamWrite(disk, stream, progress).run()
            finally:
                stream.close()
        finally:
            disk.close()

    return lambda: desk.run(progress, work)


# -- Work from the server ------------------------------------------------------------------------------------------------


# What init systems start their services with may lack the place where `reboot` is.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def reboot() -> None:
    """Through the init system: systemd, BusyBox, OpenRC and System V's all have this program."""
    os.sync()
    program = shutil.which("reboot") or shutil.which("reboot", path=SYSTEM_PATH)
    if program is None:
        log.error("there is no program reboot")
        return
    status = subprocess.run([program], check=False).returncode
    if status != 0:
        log.error("%s ends with status %d", program, status)


HEALTH = ("temperature", "throttled")


def lasting(inventory: Dict[str, Any]) -> Dict[str, Any]:
    """What is worth telling anew when it is another; how the Pi feels goes along with each question."""
    return {name: value for name, value in inventory.items() if name not in HEALTH}


class Agent:
    """Asks the server for work, does it, and reports; for as long as the system runs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._config = desk.config
        self._signer = desk.signer
        self._server = Server(desk.config, self._signer)

    def run(self) -> None:
        greeted: Optional[Dict[str, Any]] = None
        while True:
            try:
                inventory = take_inventory(self._config)
                if greeted is None or lasting(inventory) != lasting(greeted):
                    self._server.ask("POST", "hello", {"protocol": PROTOCOL, "version": VERSION, "inventory": inventory})
                    greeted = inventory
                wait = max(1, int(self._config.timeout_seconds) - 5)
                health = {name: inventory[name] for name in HEALTH}
                work = self._server.ask("POST", "next", {"wait": min(25, wait), **health}).get("work")
                if isinstance(work, dict):
                    self._do(work)
            except Unreachable as error:
                log.info("the server cannot be reached: %s", error)
                greeted = None
                time.sleep(2)
            except Failure as failure:
                log.warning("the server refuses: %s", failure.message)
                greeted = None
                time.sleep(5)
            except Exception:  # pylint: disable=broad-except
                # A fault of ours, or an order that makes no sense: nobody could give another one if this ended.
                log.exception("asking for work failed")
                time.sleep(5)

    def _do(self, work: Dict[str, Any]) -> None:
        if work.get("kind") == "write":
            self._write(work)
        elif work.get("kind") == "reboot":
            self._reboot()
        else:
            raise Failure("bad-request", f"an order of a kind that is unknown here: {work.get('kind')}")

    def _reboot(self) -> None:
        """The server repeats its order: a write that was ordered on port 8888 may come to its end."""
        if self._desk.is_busy:
            log.info("reboot, as soon as the write is over")
            time.sleep(5)
            return
        log.info("reboot, as the server asks")
        reboot()
        time.sleep(60)

    def _write(self, work: Dict[str, Any]) -> None:
        target = work["target"]
        progress = Progress(str(work["job"]), str(target["path"]))
        reporter = Reporter(Server(self._config, self._signer), progress)
        if self._wait_for_desk(progress, reporter):
            self._desk.run(progress, lambda: self._prepare(work, progress, reporter), lambda: reporter.say(None))
        reporter.last()

    def _wait_for_desk(self, progress: Progress, reporter: "Reporter") -> bool:
        """A write that was ordered on port 8888 may be going on. @return False when this one was cancelled meanwhile."""
        while True:
            try:
                self._desk.take(progress)
                return True
            except Refusal as refusal:
                log.debug("%s", refusal.message)
            reporter.say(None)
            if progress.cancelled.wait(2):
                progress.finish(Cancelled("cancelled", "The write was cancelled before it began."))
                return False

    def _prepare(self, work: Dict[str, Any], progress: Progress, reporter: "Reporter") -> None:
        name = str(work["map"])
        text = self._patiently(lambda: self._server.map(name), progress)
        if hashlib.sha256(text).hexdigest() != name:
            raise Failure("bad-data", "The map of the image arrived damaged.")
        try:
            image = ImageMap(text)
        except (ValueError, KeyError, TypeError) as error:
            raise Failure("bad-data", f"The map of the image makes no sense: {error}.") from error
        verify = str(work.get("verify", "full"))
        if verify not in VERIFY_MODES:
            raise Refusal("bad-request", f"verify is {verify}, expected one of {', '.join(VERIFY_MODES)}.")
        target = work["target"]
        Disk.check(self._config, str(target["path"]), image.size, target)
        disk = Disk.open(str(target["path"]))
        try:
            write = ImageWrite(
                disk,
                image,
                lambda: self._sources(work, image),
                progress,
                done=str(work.get("done") or ""),
                verify=verify,
                patience=self._config.patience_seconds,
                report=reporter.durable,
            )
            reporter.start()
            write.run()
        finally:
            reporter.stop()
            disk.close()

    def _patiently(self, ask: Callable[[], bytes], progress: Progress) -> bytes:
        backoff = Backoff(self._config.patience_seconds)
        while True:
            # It is the server that is waited for, not the disk.
            progress.move("wiping", 0)
            try:
                return ask()
            except Unreachable as error:
                backoff.wait(str(error))

    def _sources(self, work: Dict[str, Any], image: ImageMap) -> List[Source]:
        """Others that the server names, then the server itself. Others have nothing but the pack as it is."""
        can_unpack = self._config.zstd and Zstd.load() is not None
        peers = [
            Source(str(each["url"]), self._config.timeout_seconds, token=str(each.get("token", "")))
            for each in (work.get("sources") or [] if can_unpack else [])
        ]
        raw = None if can_unpack else f"{Server.PREFIX}/raw/{work['map']}"
        url = f"{self._config.server}{Server.PREFIX}/pack/{image.pack}"
        return [*peers, Source(url, self._config.timeout_seconds, signer=self._signer, raw=raw)]


class Reporter:
    """Tells the server how far a write is: each second, after each sync, and at the end until it was heard."""

    def __init__(self, server: Server, progress: Progress) -> None:
        self._server = server
        self._progress = progress
        self._lock = threading.Lock()
        self._sequence = 0
        self._durable: Optional[str] = None
        self._stopped = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.wait(1.0):
            self.say(self._durable)

    def durable(self, marks: Marks) -> None:
        self._durable = str(marks)
        self.say(self._durable)

    def say(self, durable: Optional[str]) -> bool:
        """@return whether the server heard it."""
        with self._lock:
            self._sequence += 1
            event = {**self._progress.describe(), "seq": self._sequence, "durable": durable}
            try:
                answer = self._server.ask("POST", "events", event)
            except Unreachable as error:
                log.info("the server does not hear: %s", error)
                return False
            except Failure as failure:
                # A server that knows nothing of this job (any more) has nothing to say about it.
                log.warning("the server refuses the report: %s", failure.message)
                return True
        if answer.get("cancel") is True:
            self._progress.cancelled.set()
        return True

    def last(self) -> None:
        pause = 0.5
        until = time.monotonic() + 600
        while not self.say(self._durable) and time.monotonic() < until:
            time.sleep(pause)
            pause = min(10.0, pause * 2)


# -- Port 8888 -----------------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """What clients of earlier versions ask. /health answers everybody, the rest those in allowed_ips who have the token."""

    desk: Desk
    protocol_version = "HTTP/1.1"
    server_version = "netboot-imager"
    sys_version = ""
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # pylint: disable=redefined-builtin
        log.debug("%s %s", self.client_address[0], format % args)

    def _answer(self, status: int, body: Dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def _is_allowed(self) -> bool:
        config = self.desk.config
        if not config.allows(self.client_address[0]):
            self._answer(403, {"error": "This address is not in allowed_ips."})
            return False
        token = self.headers.get("X-Netboot-Token", "").encode()
        if not config.shared_secret or not hmac.compare_digest(token, config.shared_secret.encode()):
            self._answer(401, {"error": "X-Netboot-Token is missing or wrong."})
            return False
        return True

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {"service": "netboot-imager", "status": "ok"})
        elif self.path != "/status":
            self._answer(404, {"error": "Not found."})
        elif self._is_allowed():
            current = self.desk.current
            state = "idle" if current is None else current.stage if current.is_over else "running"
            self._answer(200, {"state": state, **({} if current is None else current.describe())})

    def do_POST(self) -> None:
        if self.path != "/write-image":
            self._answer(404, {"error": "Not found."})
        elif self._is_allowed():
            try:
                work = self._order()
            except Failure as failure:
                status = 409 if failure.code == "busy" else 400
                self._answer(status, {"error": failure.message, "code": failure.code})
                return
            threading.Thread(target=work, daemon=True).start()
            self._answer(200, {"success": True, "message": "The write has begun; GET /status tells how far it is."})

    def _order(self) -> Callable[[], None]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > 65536:
            raise Refusal("bad-request", "Content-Length is missing or too large.")
        try:
            body = json.loads(self.rfile.read(int(length)))
            device, url = body["device"], body["image_url"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal("bad-request", "Expected JSON with device and image_url.") from error
        if not isinstance(device, str) or not isinstance(url, str):
            raise Refusal("bad-request", "device and image_url must be strings.")
        return write_stream(self.desk, device, url, self._download_headers(url))

    def _download_headers(self, url: str) -> Dict[str, str]:
        """@raise Refusal for a foreign source: who may order a write may not make this Pi fetch from anywhere."""
        config = self.desk.config
        try:
            parts = urllib.parse.urlsplit(url)
            place = (parts.hostname, parts.port or 80)
        except ValueError as error:
            raise Refusal("bad-request", f"{url} is no address.") from error
        if parts.scheme != "http" or not parts.hostname or re.search(r"[\x00-\x20]", url):
            raise Refusal("bad-request", "image_url must start with http:// and have a host.")
        own = urllib.parse.urlsplit(config.server)
        if config.server and place == (own.hostname, own.port or 80):
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            return self.desk.signer.headers("GET", path, b"")
        if not config.any_source and (config.server or not config.allows(parts.hostname)):
            raise Refusal("foreign-source", f"{parts.hostname} is not the netboot server. any_source in config.json allows others.")
        return {}


class Door(http.server.ThreadingHTTPServer):
    """Few clients at a time: nobody can fill the Pi's memory by knocking."""

    daemon_threads = True
    allow_reuse_address = True
    _places = threading.BoundedSemaphore(16)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


# -- Newer versions ------------------------------------------------------------------------------------------------------


def update(config: Config, place: Path) -> bool:
    """Puts the server's version of this program in its place; the answer is signed, so nobody else can do so.

    @return whether it was another one. @raise Unreachable, Failure.
    """
    signer = Signer(config.agent_id, config.secret)
    program = str(Server(config, signer).ask("GET", "program").get("program", "")).encode()
    if not program or program == place.read_bytes():
        return False
    # What does not even compile must not take the place of what runs.
    compile(program, str(place), "exec")
    fresh = place.with_name(f"{place.name}.new")
    fresh.write_bytes(program)
    fresh.chmod(0o755)
    os.replace(fresh, place)
    return True


# -- Start ---------------------------------------------------------------------------------------------------------------


def run_update(config: Config) -> int:
    try:
        is_new = bool(config.server) and update(config, Path(__file__).resolve())
    except (Unreachable, Failure, OSError, SyntaxError, ValueError) as error:
        print(f"The program stays as it is: {error}", file=sys.stderr)
        return 1
    print("The server's version took its place." if is_new else "It is the server's version already.", file=sys.stderr)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes OS images to the disks of a netbooted Raspberry Pi.")
    default = Path(__file__).resolve().parent / "config.json"
    parser.add_argument("--config", type=Path, default=default, help=f"default: {default}")
    parser.add_argument("--inventory", action="store_true", help="print what is known of this Pi, and end")
    parser.add_argument("--update", action="store_true", help="take over the server's version of this program, and end")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        config = Config.load(options.config)
    except (OSError, ValueError) as error:
        print(f"{options.config} cannot be used: {error}", file=sys.stderr)
        return 2
    if options.inventory:
        print(json.dumps(take_inventory(config), indent=2))
        return 0
    if options.update:
        return run_update(config)
    if config.only_when_netbooted and not is_netbooted():
        print("This system was not booted from the network: nothing to do.", file=sys.stderr)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    desk = Desk(config)
    Handler.desk = desk
    door = Door(("", config.port), Handler)
    if config.server:
        threading.Thread(target=Agent(desk).run, daemon=True).start()
    log.info("listening on port %d", door.server_address[1])
    door.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
