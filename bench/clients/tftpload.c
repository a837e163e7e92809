/*
 * tftpload: many TFTP clients (RFC 1350, 2347 to 2349, 7440) in one process, each fetching the same file at the same time.
 *
 *     gcc -O2 -o tftpload tftpload.c
 *     tftpload -h SERVER -P PORT -f FILE [-c CLIENTS] [-b BLKSIZE] [-w WINDOWSIZE] [-a ADDRESS] [-p PID] [-v PATH]
 *
 *     -a ADDRESS  to call from      -p PID  of the server, for its CPU time      -v PATH  compare every byte with this file
 *
 * Prints one line of JSON: seconds, bytes, p50us and p99us from an acknowledgement to the end of the window that it asked
 * for, how often a client had to ask again, when the first client had its file, and cpu (seconds of the server and of its
 * children that ended).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };

typedef struct {
	int socket, has_peer, done;
	struct sockaddr_in peer;
	int block_size, window;
	/* the block that is expected, not wrapped around, and how many of the window have come */
	uint32_t next, in_window;
	uint64_t bytes;
	uint8_t request[600];
	int request_length;
	double sent;
} Client;

static const char *server = "127.0.0.1", *file_name = "kernel8.img", *local = "0.0.0.0", *verify_path;
static int port = 69, clients = 1, block_size = 1468, window = 1, server_pid;
static const uint8_t *expected;
static uint64_t expected_size, total;
static float *latencies;
static long latency_count, latency_limit = 4000000, repeats;

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
	fprintf(stderr, "tftpload: %s\n", what);
	exit(1);
}

static void fail_system(const char *what) {
	fprintf(stderr, "tftpload: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Fields 14 to 17 of a process's stat: its time and that of the children that it waited for, in seconds. */
static double cpu_seconds(int pid) {
	char path[64], text[2048];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file) fail_system(path);
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = 0;
	unsigned long user, system;
	long child_user, child_system;
	if (sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &user, &system, &child_user, &child_system) != 4) fail(path);
	return (double)(user + system + child_user + child_system) / sysconf(_SC_CLK_TCK);
}

static void transmit(Client *client) {
	sendto(client->socket, client->request, client->request_length, 0, (void *)&client->peer, sizeof client->peer);
	client->sent = now();
}

static void acknowledge(Client *client) {
	uint32_t block = client->next - 1;
	const uint8_t ack[] = { 0, ACK, block >> 8, block };
	memcpy(client->request, ack, client->request_length = sizeof ack);
	client->in_window = 0;
	transmit(client);
}

static int put_text(uint8_t *at, const char *text) {
	int length = strlen(text) + 1;
	memcpy(at, text, length);
	return length;
}

static int put_option(uint8_t *at, const char *name, int value) {
	char text[16];
	snprintf(text, sizeof text, "%d", value);
	int length = put_text(at, name);
	return length + put_text(at + length, text);
}

static void ask(Client *client) {
	uint8_t *at = client->request;
	int length = 2;
	at[0] = 0;
	at[1] = RRQ;
	length += put_text(at + length, file_name);
	length += put_text(at + length, "octet");
	if (block_size != 512) length += put_option(at + length, "blksize", block_size);
	if (window > 1) length += put_option(at + length, "windowsize", window);
	client->request_length = length;
	client->block_size = 512;
	client->window = 1;
	client->next = 1;
	transmit(client);
}

static void open_client(Client *client, int poll) {
	int bytes = 4 << 20;
	struct sockaddr_in from = { .sin_family = AF_INET };
	client->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setsockopt(client->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (inet_pton(AF_INET, local, &from.sin_addr) != 1) fail("-a is not an address");
	if (bind(client->socket, (void *)&from, sizeof from) != 0) fail_system("bind");
	client->peer.sin_family = AF_INET;
	client->peer.sin_port = htons(port);
	if (inet_pton(AF_INET, server, &client->peer.sin_addr) != 1) fail("-h is not an address");
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	epoll_ctl(poll, EPOLL_CTL_ADD, client->socket, &event);
}

static void remember_latency(const Client *client) {
	if (latency_count < latency_limit) latencies[latency_count++] = now() - client->sent;
}

static void take_options(Client *client, const char *at, const char *end) {
	while (at < end) {
		const char *name = at, *value = name + strlen(name) + 1;
		if (value >= end) fail("an OACK that is cut");
		if (strcasecmp(name, "blksize") == 0) client->block_size = atoi(value);
		if (strcasecmp(name, "windowsize") == 0) client->window = atoi(value);
		at = value + strlen(value) + 1;
	}
	remember_latency(client);
	acknowledge(client);
}

/* A block out of turn tells that one before it was lost: the server is told what came last. */
static void take_other_block(Client *client, uint16_t block) {
	int ahead = (uint16_t)(block - (uint16_t)client->next) < 0x8000;
	if (!ahead || client->window == 1) return;
	repeats++;
	acknowledge(client);
}

static void take_data(Client *client, uint16_t block, const uint8_t *data, int length) {
	if (block != (uint16_t)client->next) return take_other_block(client, block);
	if (expected && (client->bytes + length > expected_size || memcmp(expected + client->bytes, data, length) != 0)) fail("other bytes than in the file");
	client->bytes += length;
	total += length;
	client->next++;
	client->in_window++;
	client->done = length < client->block_size;
	if (client->done && expected && client->bytes != expected_size) fail("the file ended early");
	if (!client->done && client->in_window < (uint32_t)client->window) return;
	remember_latency(client);
	acknowledge(client);
}

/* Takes all that came for a client; true when that ended its transfer. */
static int receive(Client *client) {
	static uint8_t packet[70000];
	struct sockaddr_in from;
	socklen_t from_length = sizeof from;
	ssize_t length;
	while (!client->done && (length = recvfrom(client->socket, packet, sizeof packet - 1, 0, (void *)&from, &from_length)) >= 4) {
		packet[length] = 0;
		if (!client->has_peer) client->peer = from;
		client->has_peer = 1;
		if (packet[1] == ERROR) fail((char *)packet + 4);
		if (packet[1] == OACK) take_options(client, (char *)packet + 2, (char *)packet + length);
		if (packet[1] == DATA) take_data(client, packet[2] << 8 | packet[3], packet + 4, length - 4);
	}
	return client->done;
}

static void repeat_the_silent(Client *all) {
	for (int index = 0; index < clients; index++) {
		if (all[index].done || now() - all[index].sent < 1) continue;
		repeats++;
		transmit(&all[index]);
	}
}

static int compare(const void *a, const void *b) {
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void load(void) {
	int poll = epoll_create1(0), left = clients;
	Client *all = calloc(clients, sizeof *all);
	double cpu = server_pid ? cpu_seconds(server_pid) : 0, start = now(), looked = start, first = 0;
	for (int index = 0; index < clients; index++) {
		open_client(&all[index], poll);
		ask(&all[index]);
	}
	while (left > 0) {
		struct epoll_event events[256];
		int count = epoll_wait(poll, events, 256, 100);
		for (int index = 0; index < count; index++) {
			Client *client = events[index].data.ptr;
			if (!client->done && receive(client)) {
				if (left-- == clients) first = now() - start;
				close(client->socket);
			}
		}
		if (now() - looked > 0.25) repeat_the_silent(all);
		if (now() - looked > 0.25) looked = now();
		if (now() - start > 60) fail("not done after 60 seconds");
	}
	double seconds = now() - start;
	qsort(latencies, latency_count, sizeof *latencies, compare);
	printf("{\"seconds\":%.6f,\"operations\":%d,\"bytes\":%llu,\"p50us\":%.1f,\"p99us\":%.1f,\"repeats\":%ld,\"first\":%.6f,\"cpu\":%.3f}\n", seconds, clients,
		(unsigned long long)total, latencies[latency_count / 2] * 1e6, latencies[latency_count * 99 / 100] * 1e6, repeats, first,
		server_pid ? cpu_seconds(server_pid) - cpu : 0);
}

static void open_expected(void) {
	struct stat status;
	int handle = open(verify_path, O_RDONLY);
	if (handle < 0 || fstat(handle, &status) != 0) fail_system(verify_path);
	expected_size = status.st_size;
	expected = mmap(NULL, expected_size, PROT_READ, MAP_SHARED | MAP_POPULATE, handle, 0);
	if (expected == MAP_FAILED) fail_system(verify_path);
}

int main(int count, char **arguments) {
	for (int option; (option = getopt(count, arguments, "h:P:f:c:b:w:a:p:v:")) != -1;) switch (option) {
	case 'h': server = optarg; break;
	case 'P': port = atoi(optarg); break;
	case 'f': file_name = optarg; break;
	case 'c': clients = atoi(optarg); break;
	case 'b': block_size = atoi(optarg); break;
	case 'w': window = atoi(optarg); break;
	case 'a': local = optarg; break;
	case 'p': server_pid = atoi(optarg); break;
	case 'v': verify_path = optarg; break;
	default: exit(2);
	}
	if (strlen(file_name) > 500) fail("the name is too long");
	latencies = malloc(latency_limit * sizeof *latencies);
	if (verify_path) open_expected();
	load();
	return 0;
}
