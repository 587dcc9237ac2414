/* inquiry: datagrams between the watchdogs of nodes. Every rank has a socket, and the first DOORS
 * ranks of a node are asked in turn until one answers. A datagram counts if it holds the secret
 * that rank 0 drew when the run began. Which of a machine's addresses the others reach is not
 * known: it goes to all of them. */
#include "dist/inquiry.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { DOORS = 4, ADDRESSES = 4 };

/* How a rank can be reached; port 0: it can't. In network byte order. */
typedef struct door {
    uint32_t address[ADDRESSES]; /* INADDR_ANY: no more */
    uint16_t port;
    char host[64];
} door;

typedef struct contact {
    uint32_t address[ADDRESSES];
    uint16_t port[DOORS];
    int asked; /* which door was asked last */
} contact;

typedef struct datagram {
    uint64_t secret[2];
    int32_t from, to; /* nodes */
    int32_t kind;
    ls_news news;
} datagram;

struct ls_inquiry {
    int own, nodes, socket;
    uint64_t secret[2];
    struct sockaddr_in asker; /* where the last datagram came from */
    contact *contact;         /* [nodes] */
    ls_inquiry_node *node;    /* [nodes] */
};

/* The first addresses of this machine that others may know, or the one that it alone knows. */
static void find_addresses(uint32_t address[ADDRESSES])
{
    struct ifaddrs *all = NULL;
    int count = 0;
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (struct ifaddrs *at = all; at && count < ADDRESSES; at = at->ifa_next)
        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET && at->ifa_flags & IFF_UP &&
            !(at->ifa_flags & IFF_LOOPBACK))
            address[count++] = ((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr.s_addr;
    if (count == 0)
        address[0] = htonl(INADDR_LOOPBACK);
    if (all)
        freeifaddrs(all);
}

/* Opens the socket; its port, 0 where there is none. */
static uint16_t open_socket(ls_inquiry *q)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    q->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = q->socket >= 0 && bind(q->socket, (struct sockaddr *)&at, sizeof at) == 0 &&
              getsockname(q->socket, (struct sockaddr *)&at, &size) == 0;
    return ok ? at.sin_port : 0;
}

/* **Collective.** Every node's contact, from the doors of all ranks. */
static void exchange_doors(ls_inquiry *q, ls_comm *comm, const door *mine)
{
    door *all = ls_alloc(comm->rank == 0 ? (size_t)comm->size : 0, sizeof *all);
    ls_comm_gather(comm, mine, sizeof *mine, all);
    for (int n = 0, first = 0; n < comm->nodes; first += comm->node_sizes[n++]) {
        q->node[n].first = first;
        q->node[n].ranks = comm->node_sizes[n];
        for (int k = 0; comm->rank == 0 && k < ls_min(comm->node_sizes[n], DOORS); k++)
            q->contact[n].port[k] = all[first + k].port;
        if (comm->rank > 0)
            continue;
        memcpy(q->contact[n].address, all[first].address, sizeof all->address);
        memcpy(q->node[n].host, all[first].host, sizeof all->host);
    }
    ls_free(all);
    ls_comm_broadcast(comm, q->node, (size_t)comm->nodes * sizeof *q->node);
    ls_comm_broadcast(comm, q->contact, (size_t)comm->nodes * sizeof *q->contact);
}

ls_inquiry *ls_inquiry_open(ls_comm *comm)
{
    ls_inquiry *q = ls_alloc(1, sizeof *q);
    door mine = {.port = 0};
    q->own = comm->node_index;
    q->nodes = comm->nodes;
    q->socket = -1;
    q->contact = ls_alloc((size_t)comm->nodes, sizeof *q->contact);
    q->node = ls_alloc((size_t)comm->nodes, sizeof *q->node);
    memcpy(mine.host, comm->host, sizeof mine.host - 1);
    if (comm->nodes > 1) {
        find_addresses(mine.address);
        mine.port = open_socket(q);
    }
    ls_check(comm->rank > 0 ||
                 getrandom(q->secret, sizeof q->secret, 0) == (ssize_t)sizeof q->secret,
             "the system gives no random numbers (getrandom)");
    ls_comm_broadcast(comm, q->secret, sizeof q->secret);
    exchange_doors(q, comm, &mine);
    return q;
}

void ls_inquiry_close(ls_inquiry *q)
{
    if (q->socket >= 0)
        close(q->socket);
    ls_free(q->node);
    ls_free(q->contact);
    ls_free(q);
}

int ls_inquiry_socket(const ls_inquiry *q)
{
    return q->socket;
}

int ls_inquiry_nodes(const ls_inquiry *q)
{
    return q->nodes;
}

const ls_inquiry_node *ls_inquiry_at(const ls_inquiry *q, int node)
{
    return &q->node[node];
}

/* What does not arrive is sent again, or there is no way. */
static void send_to(const ls_inquiry *q, const struct sockaddr_in *to, const datagram *message)
{
    sendto(q->socket, message, sizeof *message, 0, (const struct sockaddr *)to, sizeof *to);
}

static void knock(const ls_inquiry *q, int node, int door, const datagram *message)
{
    const contact *c = &q->contact[node];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = c->port[door]};
    for (int a = 0; a < ADDRESSES && c->address[a] && to.sin_port; a++) {
        to.sin_addr.s_addr = c->address[a];
        send_to(q, &to, message);
    }
}

void ls_inquiry_send(ls_inquiry *q, int node, ls_inquiry_kind kind, const ls_news *news)
{
    contact *c = &q->contact[node];
    datagram message = {.from = q->own, .to = node, .kind = (int32_t)kind, .news = *news};
    memcpy(message.secret, q->secret, sizeof q->secret);
    if (q->socket < 0)
        return;
    if (kind == LS_INQUIRY_ANSWER)
        send_to(q, &q->asker, &message);
    for (int k = 0; k < DOORS && kind == LS_INQUIRY_END; k++)
        knock(q, node, k, &message);
    if (kind == LS_INQUIRY_ASK) {
        knock(q, node, c->asked, &message);
        c->asked = (int)((c->asked + 1) % ls_min(q->node[node].ranks, DOORS));
    }
}

bool ls_inquiry_receive(ls_inquiry *q, int *node, ls_inquiry_kind *kind)
{
    datagram message;
    for (ssize_t size; q->socket >= 0;) {
        socklen_t length = sizeof q->asker;
        size = recvfrom(q->socket, &message, sizeof message, MSG_TRUNC,
                        (struct sockaddr *)&q->asker, &length);
        if (size < 0)
            return false;
        if (size != (ssize_t)sizeof message || message.to != q->own || message.from < 0 ||
            message.from >= q->nodes || message.from == q->own ||
            memcmp(message.secret, q->secret, sizeof q->secret) != 0)
            continue;
        *node = message.from;
        *kind = (ls_inquiry_kind)message.kind;
        q->node[*node].known = true;
        q->node[*node].age = 0;
        q->node[*node].news = message.news;
        return true;
    }
    return false;
}

void ls_inquiry_begin(ls_inquiry *q, int first)
{
    for (int n = first; n < q->nodes; n++)
        q->node[n].age = 0;
}

void ls_inquiry_age(ls_inquiry *q, double seconds)
{
    for (int n = 0; n < q->nodes; n++)
        q->node[n].age += seconds;
}
