/*
 * nfsload: a raw NFSv3 client over TCP that keeps `depth` calls under way on each connection and counts what comes back.
 * It has no cache and no libraries, so that nearly all of the time is the server's.
 *
 *     gcc -O2 -o nfsload nfsload.c
 *     nfsload -h SERVER -n NFSPORT -m MOUNTPORT -e EXPORT [-D FOLDER] [-f FILE | -N COUNT] -M MODE [options]
 *
 * modes     read    READ the file FILE of FOLDER from its begin to its end
 *           random  READ at random places of FILE
 *           getattr, lookup, meta (both in turn)  on file0000.txt to the COUNTth file of FOLDER
 *           create  CREATE, WRITE (UNSTABLE), COMMIT and RENAME of new files in FOLDER; one operation is all four
 * options   -s BYTES  per READ, or of each new file            -d DEPTH  calls under way per connection
 *           -c CONNECTIONS                                     -b OPERATIONS  in all (not of read)
 *           -a ADDRESS  to call from                           -p PID  of the server, for its CPU time
 *           -v PATH  compare every byte with this file
 *
 * Prints one line of JSON: seconds, operations, bytes, p50us and p99us of a call, and cpu (seconds of the server).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOUNT_PROGRAM = 100005, NFS_PROGRAM = 100003 };
enum { GETATTR = 1, LOOKUP = 3, READ = 6, WRITE = 7, CREATE = 8, RENAME = 14, COMMIT = 21 };
enum { REPLY_HEADER = 24, MAX_REPLY = 4096, MAX_CALL = 1024, FATTR3 = 84, NAME = 64 };

typedef struct { uint8_t data[64]; uint32_t length; } Handle;

/* A call that is under way; of mode create, the file that is being made. */
typedef struct { int procedure; uint64_t offset; uint32_t length; double sent; Handle file; char name[NAME]; } Slot;

typedef struct {
	int socket;
	Slot *slots;
	int under_way;
	uint64_t next_offset;
	uint8_t *out;
	size_t out_length;
	/* the record that comes in: its mark, what is left of the fragment, and the reply without the data of a READ */
	uint8_t mark[4];
	int mark_length, last_fragment;
	uint32_t fragment_left;
	uint8_t reply[MAX_REPLY];
	uint32_t reply_length;
	int in_data;
	uint64_t data_seen;
} Connection;

static const char *server = "127.0.0.1", *export_path = "/", *folder = "", *mode = "read", *file_name = "", *local, *verify_path;
static int nfs_port = 2049, mount_port = 20048, depth = 1, connections = 1, server_pid, names_count;
static uint32_t transfer = 1 << 20;
static long operations_wanted = 100000;

static Handle directory, *handles;
static char (*names)[NAME];
static uint64_t file_size;
static const uint8_t *expected;
static uint8_t *payload;
static long issued, finished;
static uint64_t bytes_read;
static float *latencies;
static long latency_count, latency_limit = 4000000;

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
	fprintf(stderr, "nfsload: %s\n", what);
	exit(1);
}

static void fail_system(const char *what) {
	fprintf(stderr, "nfsload: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* User and system time of a process, in seconds: fields 14 and 15 of its stat, counted behind the name in parentheses. */
static double cpu_seconds(int pid) {
	char path[64], text[2048];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file) fail_system(path);
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = 0;
	unsigned long user, system;
	if (sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) fail(path);
	return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* XDR */
static uint32_t get32(const uint8_t *at) { uint32_t value; memcpy(&value, at, 4); return ntohl(value); }
static uint64_t get64(const uint8_t *at) { return (uint64_t)get32(at) << 32 | get32(at + 4); }
static uint8_t *put32(uint8_t *at, uint32_t value) { value = htonl(value); memcpy(at, &value, 4); return at + 4; }
static uint8_t *put64(uint8_t *at, uint64_t value) { return put32(put32(at, value >> 32), (uint32_t)value); }
static uint8_t *put_opaque(uint8_t *at, const void *data, uint32_t length) {
	at = put32(at, length);
	memcpy(at, data, length);
	memset(at + length, 0, -length & 3);
	return at + length + (-length & 3);
}
static uint8_t *put_handle(uint8_t *at, const Handle *handle) { return put_opaque(at, handle->data, handle->length); }
static uint8_t *put_string(uint8_t *at, const char *text) { return put_opaque(at, text, strlen(text)); }
static void get_handle(Handle *handle, const uint8_t *at, const uint8_t *end) {
	uint32_t length = get32(at);
	if (length > sizeof handle->data || at + 4 + length > end) fail("a handle that is too long");
	handle->length = length;
	memcpy(handle->data, at + 4, length);
}

/* The header of a call from root, behind four bytes for the record mark. */
static uint8_t *begin_call(uint8_t *record, uint32_t xid, uint32_t program, uint32_t procedure) {
	uint8_t *at = record + 4;
	at = put32(put32(put32(put32(put32(put32(at, xid), 0), 2), program), 3), procedure);
	at = put32(at, 1); /* AUTH_SYS */
	uint8_t *length = at, *body = at += 4;
	at = put_string(put32(at, 0), "bench");
	at = put32(put32(put32(put32(at, 0), 0), 1), 0);
	put32(length, at - body);
	return put32(put32(at, 0), 0);
}

static size_t end_call(uint8_t *record, uint8_t *end) {
	put32(record, 0x80000000u | (uint32_t)(end - record - 4));
	return end - record;
}

/* Connects from a port below 1024, as a kernel does: servers refuse others. */
static int dial(int port) {
	static int reserved = 1023;
	int handle = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	if (handle < 0) fail_system("socket");
	setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET, .sin_port = htons(port) };
	if (local && inet_pton(AF_INET, local, &from.sin_addr) != 1) fail("-a is not an address");
	if (inet_pton(AF_INET, server, &to.sin_addr) != 1) fail("-h is not an address");
	for (; reserved > 512; reserved--) {
		from.sin_port = htons(reserved);
		if (bind(handle, (void *)&from, sizeof from) != 0) continue;
		if (connect(handle, (void *)&to, sizeof to) == 0) break;
		if (errno != EADDRNOTAVAIL) fail_system("connect");
		close(handle);
		handle = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	}
	reserved--;
	setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return handle;
}

static void receive_exactly(int handle, uint8_t *to, size_t length) {
	while (length > 0) {
		ssize_t got = recv(handle, to, length, 0);
		if (got <= 0) fail("the server closed the connection");
		to += got;
		length -= got;
	}
}

/* One call and its reply, which must tell of success; gives the results behind their status, and their end. */
static const uint8_t *call_once(int handle, uint8_t *record, uint8_t *end, const uint8_t **results_end, const char *what) {
	static uint8_t reply[1 << 16];
	size_t length = end_call(record, end), total = 0;
	if (send(handle, record, length, 0) != (ssize_t)length) fail_system(what);
	for (uint32_t mark = 0; !(mark >> 31);) {
		uint8_t bytes[4];
		receive_exactly(handle, bytes, 4);
		mark = get32(bytes);
		if (total + (mark & 0x7fffffff) > sizeof reply) fail("a reply that is too long");
		receive_exactly(handle, reply + total, mark & 0x7fffffff);
		total += mark & 0x7fffffff;
	}
	if (total < REPLY_HEADER + 4 || get32(reply + 8) || get32(reply + 20) || get32(reply + 24)) {
		fprintf(stderr, "nfsload: %s: reply_stat %u, accept_stat %u, status %u\n", what, get32(reply + 8), get32(reply + 20), get32(reply + 24));
		exit(1);
	}
	*results_end = reply + total;
	return reply + REPLY_HEADER + 4;
}

static Handle look_up(int handle, const Handle *in, const char *name) {
	uint8_t record[MAX_CALL];
	const uint8_t *end, *results;
	Handle found;
	uint8_t *at = put_string(put_handle(begin_call(record, 1, NFS_PROGRAM, LOOKUP), in), name);
	results = call_once(handle, record, at, &end, name);
	get_handle(&found, results, end);
	return found;
}

static Handle mount_root(void) {
	uint8_t record[MAX_CALL];
	const uint8_t *end, *results;
	Handle root;
	int handle = dial(mount_port);
	results = call_once(handle, record, put_string(begin_call(record, 1, MOUNT_PROGRAM, 1), export_path), &end, "MNT");
	get_handle(&root, results, end);
	close(handle);
	return root;
}

static void find_files(void) {
	uint8_t record[MAX_CALL];
	const uint8_t *end;
	Handle root = mount_root();
	int handle = dial(nfs_port);
	char path[1024];
	snprintf(path, sizeof path, "%s", folder);
	directory = root;
	for (char *name = strtok(path, "/"); name; name = strtok(NULL, "/")) directory = look_up(handle, &directory, name);
	names = calloc(names_count + 1, sizeof *names);
	handles = calloc(names_count + 1, sizeof *handles);
	if (*file_name) snprintf(names[names_count++], NAME, "%s", file_name);
	else for (int index = 0; index < names_count; index++) snprintf(names[index], NAME, "file%04d.txt", index);
	for (int index = 0; index < names_count; index++) handles[index] = look_up(handle, &directory, names[index]);
	if (*file_name) {
		const uint8_t *results = call_once(handle, record, put_handle(begin_call(record, 1, NFS_PROGRAM, GETATTR), &handles[0]), &end, "GETATTR");
		file_size = get64(results + 20);
	}
	close(handle);
}

static void open_expected(void) {
	struct stat status;
	int handle = open(verify_path, O_RDONLY);
	if (handle < 0 || fstat(handle, &status) != 0) fail_system(verify_path);
	if ((uint64_t)status.st_size != file_size) fail("the file to compare with has another size");
	expected = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, handle, 0);
	if (expected == MAP_FAILED) fail_system(verify_path);
}

static uint64_t random64(void) {
	static uint64_t state = 88172645463325252ull;
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static int is(const char *name) { return strcmp(mode, name) == 0; }

/* Puts the call of a slot behind those that wait to be sent. The number of the slot is the xid. */
static void send_call(Connection *connection, int index) {
	Slot *slot = &connection->slots[index];
	uint8_t *record = connection->out + connection->out_length, *at = begin_call(record, index, NFS_PROGRAM, slot->procedure);
	char final_name[NAME + 8];
	switch (slot->procedure) {
	case GETATTR: at = put_handle(at, &slot->file); break;
	case LOOKUP: at = put_string(put_handle(at, &directory), slot->name); break;
	case READ: at = put32(put64(put_handle(at, &slot->file), slot->offset), slot->length); break;
	case CREATE: /* UNCHECKED, mode 0644, nothing else */
		at = put32(put_string(put_handle(at, &directory), slot->name), 0);
		at = put32(put32(put32(put32(put32(put32(put32(at, 1), 0644), 0), 0), 0), 0), 0);
		break;
	case WRITE: at = put_opaque(put32(put32(put64(put_handle(at, &slot->file), 0), transfer), 0), payload, transfer); break;
	case COMMIT: at = put32(put64(put_handle(at, &slot->file), 0), 0); break;
	case RENAME:
		snprintf(final_name, sizeof final_name, "%s.done", slot->name);
		at = put_string(put_handle(put_string(put_handle(at, &directory), slot->name), &directory), final_name);
		break;
	}
	connection->out_length += end_call(record, at);
	connection->under_way++;
	slot->sent = now();
}

static void issue_read(Connection *connection, Slot *slot) {
	slot->procedure = READ;
	slot->file = handles[0];
	slot->length = transfer;
	if (is("random")) slot->offset = random64() % (file_size / transfer) * transfer;
	else {
		slot->offset = connection->next_offset;
		if (file_size - slot->offset < transfer) slot->length = file_size - slot->offset;
		connection->next_offset += slot->length;
	}
}

/* Begins the next operation in a slot, if there is one left to do. */
static void issue(Connection *connection, int index) {
	Slot *slot = &connection->slots[index];
	if (is("read") ? connection->next_offset >= file_size : issued >= operations_wanted) return;
	long number = issued++;
	if (is("read") || is("random")) issue_read(connection, slot);
	else if (is("create")) {
		slot->procedure = CREATE;
		snprintf(slot->name, NAME, "new-%d-%ld", getpid(), number);
	} else {
		int both = is("meta"), which = (both ? number / 2 : number) % names_count;
		slot->procedure = (both ? number % 2 : is("lookup")) ? LOOKUP : GETATTR;
		slot->file = handles[which];
		memcpy(slot->name, names[which], NAME);
	}
	send_call(connection, index);
}

static void flush(Connection *connection) {
	for (size_t sent = 0; sent < connection->out_length;) {
		ssize_t count = send(connection->socket, connection->out + sent, connection->out_length - sent, 0);
		if (count < 0 && errno != EAGAIN) fail_system("send");
		if (count < 0) usleep(20);
		else sent += count;
	}
	connection->out_length = 0;
}

/* The next step of a file that is being made; false when it is there. */
static int go_on_creating(Connection *connection, int index) {
	Slot *slot = &connection->slots[index];
	const uint8_t *results = connection->reply + REPLY_HEADER + 4;
	switch (slot->procedure) {
	case CREATE:
		if (!get32(results)) fail("CREATE gave no handle");
		get_handle(&slot->file, results + 4, connection->reply + connection->reply_length);
		slot->procedure = WRITE;
		break;
	case WRITE: slot->procedure = COMMIT; break;
	case COMMIT: slot->procedure = RENAME; break;
	default: return 0;
	}
	send_call(connection, index);
	return 1;
}

/* A whole reply is there. */
static void take_reply(Connection *connection) {
	const uint8_t *reply = connection->reply;
	uint32_t index = get32(reply);
	if (index >= (uint32_t)depth || get32(reply + 8) || get32(reply + 20) || get32(reply + 24)) fail("a call was refused");
	Slot *slot = &connection->slots[index];
	if (latency_count < latency_limit) latencies[latency_count++] = now() - slot->sent;
	connection->under_way--;
	if (slot->procedure == READ && connection->data_seen < slot->length) fail("a READ gave fewer bytes than the file has");
	int more = is("create") && go_on_creating(connection, index);
	if (!more) {
		finished++;
		issue(connection, index);
	}
	connection->reply_length = 0;
	connection->in_data = 0;
	connection->data_seen = 0;
}

/* How many bytes of a READ's reply lie before its data, as far as can be told from what has come. */
static uint32_t head_of_read(const Connection *connection) {
	if (connection->reply_length < REPLY_HEADER + 8) return REPLY_HEADER + 8;
	return REPLY_HEADER + 8 + (get32(connection->reply + REPLY_HEADER + 4) ? FATTR3 : 0) + 12;
}

/* Takes bytes of a READ's reply: the head is kept, the data only counted and compared. */
static void take_read(Connection *connection, const uint8_t *bytes, uint32_t count) {
	while (count > 0 && !connection->in_data) {
		uint32_t head = head_of_read(connection), piece = head - connection->reply_length;
		if (piece > count) piece = count;
		memcpy(connection->reply + connection->reply_length, bytes, piece);
		connection->reply_length += piece;
		bytes += piece;
		count -= piece;
		connection->in_data = connection->reply_length == head_of_read(connection);
	}
	if (count == 0) return;
	const Slot *slot = &connection->slots[get32(connection->reply) % depth];
	uint64_t left = get32(connection->reply + connection->reply_length - 4) - connection->data_seen;
	if (count > left) count = left; /* the rest is padding */
	if (expected && memcmp(expected + slot->offset + connection->data_seen, bytes, count) != 0) fail("a READ gave other bytes");
	connection->data_seen += count;
	bytes_read += count;
}

static void take_bytes(Connection *connection, const uint8_t *bytes, size_t count) {
	int reads = is("read") || is("random");
	while (count > 0) {
		if (connection->mark_length < 4) {
			connection->mark[connection->mark_length++] = *bytes++;
			count--;
			if (connection->mark_length < 4) continue;
			connection->last_fragment = connection->mark[0] >> 7;
			connection->fragment_left = get32(connection->mark) & 0x7fffffff;
		}
		uint32_t piece = connection->fragment_left < count ? connection->fragment_left : count;
		if (reads) take_read(connection, bytes, piece);
		else {
			if (connection->reply_length + piece > MAX_REPLY) fail("a reply that is too long");
			memcpy(connection->reply + connection->reply_length, bytes, piece);
			connection->reply_length += piece;
		}
		bytes += piece;
		count -= piece;
		connection->fragment_left -= piece;
		if (connection->fragment_left > 0) return;
		connection->mark_length = 0;
		if (connection->last_fragment) take_reply(connection);
	}
}

static void receive(Connection *connection) {
	static uint8_t buffer[1 << 20];
	for (int turn = 0; turn < 4; turn++) {
		ssize_t count = recv(connection->socket, buffer, sizeof buffer, 0);
		if (count < 0 && errno == EAGAIN) return;
		if (count <= 0) fail("the server closed the connection");
		take_bytes(connection, buffer, count);
		flush(connection);
		if ((size_t)count < sizeof buffer) return;
	}
}

static int compare(const void *a, const void *b) {
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void report(double seconds, double cpu) {
	qsort(latencies, latency_count, sizeof *latencies, compare);
	printf("{\"seconds\":%.6f,\"operations\":%ld,\"bytes\":%llu,\"p50us\":%.1f,\"p99us\":%.1f,\"cpu\":%.3f}\n", seconds, finished,
		(unsigned long long)bytes_read, latencies[latency_count / 2] * 1e6, latencies[latency_count * 99 / 100] * 1e6, cpu);
}

static Connection *open_connections(int poll) {
	Connection *all = calloc(connections, sizeof *all);
	for (int index = 0; index < connections; index++) {
		Connection *connection = &all[index];
		connection->socket = dial(nfs_port);
		fcntl(connection->socket, F_SETFL, O_NONBLOCK);
		connection->slots = calloc(depth, sizeof *connection->slots);
		connection->out = malloc((size_t)depth * (MAX_CALL + (is("create") ? transfer : 0)));
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
		epoll_ctl(poll, EPOLL_CTL_ADD, connection->socket, &event);
	}
	return all;
}

static int any_under_way(const Connection *all) {
	for (int index = 0; index < connections; index++) if (all[index].under_way > 0) return 1;
	return 0;
}

static void load(void) {
	int poll = epoll_create1(0);
	Connection *all = open_connections(poll);
	double cpu = server_pid ? cpu_seconds(server_pid) : 0, start = now();
	for (int index = 0; index < connections; index++) {
		for (int slot = 0; slot < depth; slot++) issue(&all[index], slot);
		flush(&all[index]);
	}
	while (any_under_way(all)) {
		struct epoll_event events[64];
		int count = epoll_wait(poll, events, 64, 20000);
		if (count == 0) fail("no reply for 20 seconds");
		for (int index = 0; index < count; index++) receive(events[index].data.ptr);
	}
	double seconds = now() - start;
	report(seconds, server_pid ? cpu_seconds(server_pid) - cpu : 0);
}

static void parse(int count, char **arguments) {
	for (int option; (option = getopt(count, arguments, "h:n:m:e:D:f:N:M:s:d:c:b:a:p:v:")) != -1;) switch (option) {
	case 'h': server = optarg; break;
	case 'n': nfs_port = atoi(optarg); break;
	case 'm': mount_port = atoi(optarg); break;
	case 'e': export_path = optarg; break;
	case 'D': folder = optarg; break;
	case 'f': file_name = optarg; break;
	case 'N': names_count = atoi(optarg); break;
	case 'M': mode = optarg; break;
	case 's': transfer = strtoul(optarg, NULL, 10); break;
	case 'd': depth = atoi(optarg); break;
	case 'c': connections = atoi(optarg); break;
	case 'b': operations_wanted = atol(optarg); break;
	case 'a': local = optarg; break;
	case 'p': server_pid = atoi(optarg); break;
	case 'v': verify_path = optarg; break;
	default: exit(2);
	}
	if (!*file_name && names_count == 0 && !is("create")) fail("give -f or -N");
}

int main(int count, char **arguments) {
	parse(count, arguments);
	latencies = malloc(latency_limit * sizeof *latencies);
	payload = malloc(transfer);
	for (uint32_t index = 0; index < transfer; index++) payload[index] = index * 7 + 1;
	find_files();
	if (verify_path) open_expected();
	load();
	return 0;
}
