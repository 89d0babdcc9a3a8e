/* SPDX-License-Identifier: Apache-2.0 */
/* Frames over a Unix socket: four bytes of length, least significant first, then that many bytes.
 * The file's mode comes from the socket's own mode at bind, so there is no moment at which others
 * could connect, and no umask that other threads would share. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/loop.h"
#include "net/queue.h"

enum {
	FRAME_HEAD = 4,
	READ_STEP = 64 << 10,
	ACCEPTS_PER_ROUND = 16,
	BACKLOG = 64
};

/* OPEN -> BROKEN (a failure inside a call of the user; told from the loop) -> CLOSED. */
enum local_state {
	LOCAL_OPEN,
	LOCAL_BROKEN,
	LOCAL_CLOSED
};

struct net_local {
	struct net_corpse corpse;
	struct net_loop *loop;
	struct net_local_server *server; /* NULL on the client's side */
	struct net_local *prev, *next;   /* the server's list */
	struct net_local_events events;
	void *data;
	int fd;
	enum local_state state;
	struct net_watch *watch;
	struct net_task broken;
	struct buf in;
	struct net_queue out;
};

struct net_local_server {
	struct net_corpse corpse;
	struct net_loop *loop;
	struct net_local_events events;
	void *data;
	int fd;
	struct net_watch *watch;
	struct net_local *conns;
	char *path;
	dev_t device; /* of the file that we made: another one of its name is not ours */
	ino_t inode;
};

/* ---- Paths ---- */

/* A name for the socket that fits sun_path. A path that is too long is reached through a descriptor
 * of its folder, which the caller closes. */
struct local_name {
	struct sockaddr_un address;
	int folder; /* -1 if none is open */
};

static void local_name_done(struct local_name *n)
{
	if (n->folder >= 0)
		(void)close(n->folder); /* opened only as a name */
	n->folder = -1;
}

static int open_folder(const char *path, const char *slash)
{
	char *folder = str_dup((struct str){ path, (size_t)(slash - path) + 1 });
	if (folder == NULL)
		return -1;
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return fd;
}

static bool local_name_init(struct local_name *n, const char *path, struct err *err)
{
	struct buf text = buf_make(sizeof(n->address.sun_path) - 1);
	*n = (struct local_name){ .address = { .sun_family = AF_UNIX }, .folder = -1 };
	const char *slash = strrchr(path, '/');
	if (strlen(path) > text.max && slash != NULL) {
		n->folder = open_folder(path, slash);
		if (n->folder < 0)
			return err_set_errno(err, ERR_UNAVAILABLE, path);
		buf_addf(&text, "/proc/self/fd/%d%s", n->folder, slash);
	} else {
		buf_add_z(&text, path);
	}
	if (!buf_ok(&text, "the socket's name", err)) {
		buf_done(&text);
		local_name_done(n);
		return false;
	}
	memcpy(n->address.sun_path, text.p, text.len + 1);
	buf_done(&text);
	return true;
}

/* ---- A connection ---- */

static void local_free(struct net_local *c)
{
	c->state = LOCAL_CLOSED;
	if (c->server != NULL) {
		if (c->prev != NULL)
			c->prev->next = c->next;
		else
			c->server->conns = c->next;
		if (c->next != NULL)
			c->next->prev = c->prev;
	}
	net__task_cancel(c->loop, &c->broken);
	net_watch_free(c->watch);
	(void)close(c->fd); /* nobody is left who could be told */
	buf_done(&c->in);
	net__queue_done(&c->out);
	net__loop_bury(c->loop, &c->corpse);
}

/* From the loop only. */
static void end_local(struct net_local *c)
{
	c->events.closed(c->data, c);
	if (c->state != LOCAL_CLOSED)
		local_free(c);
}

static void on_broken(void *data)
{
	end_local(data);
}

static void break_local(struct net_local *c)
{
	c->state = LOCAL_BROKEN;
	net_watch_set(c->watch, 0);
	net__task_post(c->loop, &c->broken);
}

static bool flush(struct net_local *c)
{
	struct str front = net__queue_front(&c->out);
	if (front.len == 0)
		return true;
	ssize_t n = send(c->fd, front.p, front.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	net__queue_eat(&c->out, (size_t)n);
	return true;
}

static void watch_local(struct net_local *c)
{
	net_watch_set(c->watch, net__queue_len(&c->out) > 0 ? NET_READ | NET_WRITE : NET_READ);
}

static size_t frame_len(const char *head)
{
	const unsigned char *b = (const unsigned char *)head;
	return (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
}

/* Delivers the frames that are complete. False if one is too long or the connection ended. */
static bool cut_frames(struct net_local *c)
{
	size_t at = 0;
	while (c->in.len - at >= FRAME_HEAD) {
		size_t len = frame_len(c->in.p + at);
		if (len > LIMIT_FRAME)
			return false;
		if (c->in.len - at - FRAME_HEAD < len)
			break;
		struct str frame = { c->in.p + at + FRAME_HEAD, len };
		at += FRAME_HEAD + len;
		c->events.frame(c->data, c, frame);
		if (c->state != LOCAL_OPEN)
			return false;
	}
	buf_consume(&c->in, at);
	if (c->in.len == 0)
		net__buf_rest(&c->in);
	return true;
}

/* False at the end of the connection. */
static bool receive(struct net_local *c)
{
	char *room = buf_reserve(&c->in, READ_STEP);
	if (room == NULL)
		return false;
	ssize_t n = recv(c->fd, room, READ_STEP, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	buf_grew(&c->in, (size_t)n);
	return cut_frames(c);
}

static void on_local(void *data, unsigned events)
{
	struct net_local *c = data;
	bool ok = true;
	if ((events & NET_WRITE) != 0)
		ok = flush(c);
	if (ok && (events & NET_READ) != 0)
		ok = receive(c);
	if (c->state != LOCAL_OPEN)
		return;
	if (ok)
		watch_local(c);
	else
		end_local(c);
}

/* Takes over `fd`, also when it fails. */
static struct net_local *local_new(struct net_loop *loop, int fd,
                                   const struct net_local_events *events, void *data,
                                   struct err *err)
{
	struct net_local *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)close(fd);          /* nothing was written to it */
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	c->watch = net_watch_new(loop, fd, NET_READ, on_local, c, err);
	if (c->watch == NULL) {
		(void)close(fd); /* likewise */
		free(c);
		return NULL;
	}
	c->loop = loop;
	c->events = *events;
	c->data = data;
	c->fd = fd;
	c->broken = (struct net_task){ .fn = on_broken, .data = c };
	c->in = buf_make(FRAME_HEAD + LIMIT_FRAME + READ_STEP);
	c->out = net__queue_make(LIMIT_FRAMES_QUEUED);
	return c;
}

void net_local_send(struct net_local *c, struct str bytes)
{
	if (c->state != LOCAL_OPEN)
		return;
	char head[FRAME_HEAD] = { (char)(bytes.len & 0xFF), (char)(bytes.len >> 8 & 0xFF),
		                  (char)(bytes.len >> 16 & 0xFF), (char)(bytes.len >> 24 & 0xFF) };
	bool was_empty = net__queue_len(&c->out) == 0;
	if (bytes.len > LIMIT_FRAME || !net__queue_add(&c->out, (struct str){ head, FRAME_HEAD }) ||
	    !net__queue_add(&c->out, bytes)) {
		break_local(c); /* a half-queued frame must not be followed by another */
		return;
	}
	if (was_empty && !flush(c))
		break_local(c);
	else
		watch_local(c);
}

void net_local_close(struct net_local *c)
{
	if (c == NULL)
		return;
	if (c->state == LOCAL_OPEN)
		(void)flush(c); /* as far as it goes: nobody waits for it any more */
	local_free(c);
}

void net_local_set_data(struct net_local *c, void *data)
{
	c->data = data;
}

void *net_local_data(const struct net_local *c)
{
	return c->data;
}

/* ---- Both ends ---- */

static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static int connect_to(const char *path, struct err *err)
{
	struct local_name name;
	if (!local_name_init(&name, path, err))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr *address = (const struct sockaddr *)&name.address;
	if (fd < 0 || connect(fd, address, sizeof(name.address)) != 0 || !is_same_user(fd)) {
		(void)err_set(err, ERR_UNAVAILABLE, "nobody answers at '%s'", path);
		if (fd >= 0)
			(void)close(fd); /* nothing was written to it */
		fd = -1;
	}
	local_name_done(&name);
	return fd;
}

struct net_local *net_local_connect(struct net_loop *loop, const char *path,
                                    const struct net_local_events *events, void *data,
                                    struct err *err)
{
	int fd = connect_to(path, err);
	return fd >= 0 ? local_new(loop, fd, events, data, err) : NULL;
}

/* ---- The server ---- */

static void admit(struct net_local_server *s, int fd)
{
	if (!is_same_user(fd)) {
		(void)close(fd); /* nothing was written to it */
		return;
	}
	struct net_local *c = local_new(s->loop, fd, &s->events, s->data, NULL);
	if (c == NULL)
		return;
	c->server = s;
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	if (s->events.opened != NULL)
		s->events.opened(s->data, c);
}

static void on_accept(void *data, unsigned events)
{
	struct net_local_server *s = data;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_ROUND && s->watch != NULL; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		admit(s, fd);
	}
}

/* An owner that died left its file behind; anything else of that name is not ours to remove. */
static bool remove_old(const char *path, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT || err_set_errno(err, ERR_UNAVAILABLE, path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFLICT, "'%s' exists and is no socket", path);
	return unlink(path) == 0 || err_set_errno(err, ERR_UNAVAILABLE, path);
}

static bool bind_local(struct net_local_server *s, struct err *err)
{
	struct local_name name;
	struct stat st;
	if (!remove_old(s->path, err) || !local_name_init(&name, s->path, err))
		return false;
	const struct sockaddr *address = (const struct sockaddr *)&name.address;
	/* The file takes its mode from the socket's, less the umask. */
	bool ok = fchmod(s->fd, S_IRUSR | S_IWUSR) == 0 &&
	          bind(s->fd, address, sizeof(name.address)) == 0 && listen(s->fd, BACKLOG) == 0 &&
	          lstat(s->path, &st) == 0;
	local_name_done(&name);
	if (!ok)
		return err_set_errno(err, ERR_UNAVAILABLE, s->path);
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return true;
}

static bool start(struct net_local_server *s, struct err *err)
{
	if (s->path == NULL)
		return err_no_memory(err);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "socket");
	if (!bind_local(s, err))
		return false;
	s->watch = net_watch_new(s->loop, s->fd, NET_READ, on_accept, s, err);
	return s->watch != NULL;
}

struct net_local_server *net_local_listen(struct net_loop *loop, const char *path,
                                          const struct net_local_events *events, void *data,
                                          struct err *err)
{
	struct net_local_server *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	s->loop = loop;
	s->events = *events;
	s->data = data;
	s->fd = -1;
	s->path = str_dup(str_of(path));
	if (!start(s, err)) {
		net_local_server_free(s);
		return NULL;
	}
	return s;
}

static void remove_own_file(const struct net_local_server *s)
{
	struct stat st;
	if (s->inode != 0 && lstat(s->path, &st) == 0 && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		(void)unlink(s->path); /* a file that stays is replaced by the next owner */
}

void net_local_server_free(struct net_local_server *s)
{
	if (s == NULL)
		return;
	while (s->conns != NULL)
		net_local_close(s->conns);
	net_watch_free(s->watch);
	s->watch = NULL;
	remove_own_file(s);
	if (s->fd >= 0)
		(void)close(s->fd); /* nothing was written to it */
	free(s->path);
	net__loop_bury(s->loop, &s->corpse);
}
