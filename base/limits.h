/* SPDX-License-Identifier: Apache-2.0 */
/* Every maximum of the program, one line each. Reaching one is an ordinary error that says what
 * the limit is; each has a test. Settings of the table in config.c may lower some of them. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Text */
#define LIMIT_ERR_TEXT 320        /* bytes of one error message */
#define LIMIT_LABEL 64            /* bytes of a key label */
#define LIMIT_ACCOUNT_NAME 64     /* bytes of an account's name */
#define LIMIT_REFERENCE 128       /* bytes of a funding reference */
#define LIMIT_IDEMPOTENCY_KEY 255 /* bytes, as the payment industry has it */
#define LIMIT_SEARCH_TEXT 256     /* bytes of catalog_search's q */
#define LIMIT_MODEL_ID 96         /* bytes of a model id or alias */
#define LIMIT_ALLOWED_MODELS 32   /* models in a key's allow list */

/* JSON */
#define LIMIT_JSON_DEPTH 64       /* nesting of any document that we read */
#define LIMIT_JSON_MEMBERS 100000 /* members of one object */

/* MCP over stdio */
#define LIMIT_MCP_LINE (4u << 20)     /* bytes of one incoming line */
#define LIMIT_MCP_OUT_LINE (1u << 20) /* bytes of one outgoing line; SDKs close at 10 MiB */
#define LIMIT_MCP_IN_FLIGHT 256       /* tool calls of one session that wait for an answer */
#define LIMIT_MCP_ID 256              /* bytes of a JSON-RPC id as written */
#define LIMIT_MCP_ASK_MS 300000       /* a host answers a question in this time */
#define LIMIT_MCP_STATE 2048          /* bytes that a question may carry for its answer */
#define LIMIT_MCP_STATE_MS 900000     /* ... and for how long */

/* HTTP listener */
#define LIMIT_HTTP_HEAD (16u << 10)      /* bytes of request line and headers: else 431 */
#define LIMIT_HTTP_LINE (8u << 10)       /* bytes of one header line: else 431 */
#define LIMIT_HTTP_HEADERS 100           /* header fields: else 431 */
#define LIMIT_HTTP_BODY (32u << 20)      /* bytes of a request body: else 413 */
#define LIMIT_HTTP_CONNECTIONS 4096      /* at once, lowered by RLIMIT_NOFILE */
#define LIMIT_HTTP_PER_PEER 1024         /* connections at once from one address */
#define LIMIT_HTTP_HEAD_MS 10000         /* a head must be complete in this time */
#define LIMIT_HTTP_BODY_IDLE_MS 30000    /* pause inside a body */
#define LIMIT_HTTP_KEEP_ALIVE_MS 75000   /* idle between requests */
#define LIMIT_HTTP_WRITE_STALL_MS 60000  /* a reader that takes nothing */
#define LIMIT_HTTP_OUT_HIGH (256u << 10) /* queued answer bytes that pause the upstream */
#define LIMIT_HTTP_OUT_LOW (64u << 10)   /* ... and that let it go on */
#define LIMIT_HTTP_OUT_MAX (64u << 20)   /* queued answer bytes that cut the connection */

/* Upstream */
#define LIMIT_UPSTREAM_BODY (32u << 20) /* bytes of a non-streaming answer */
#define LIMIT_UPSTREAM_HEAD (64u << 10) /* bytes of an answer's headers */
#define LIMIT_UPSTREAM_CONNECT_MS 10000
#define LIMIT_UPSTREAM_IDLE_MS 300000 /* silence of an upstream; providers ping well before */
#define LIMIT_SSE_EVENT (8u << 20)    /* bytes of one server-sent event */
#define LIMIT_DRAIN_MS 30000          /* reading on for the usage after a client hung up */
#define LIMIT_DRAIN_BYTES (4u << 20)  /* ... and at most so much of the answer */
#define LIMIT_FIRST_BYTE_MS 30000     /* a stream's first event, if another upstream could try */

/* Translation */
#define LIMIT_TALK_CALLS 8192 /* tool calls in one request's history */
#define LIMIT_TALK_TOOLS 1024 /* tools that one request offers */

/* Local socket between processes of one store */
#define LIMIT_FRAME (8u << 20)          /* bytes of one frame */
#define LIMIT_FRAMES_QUEUED (64u << 20) /* bytes that a peer may leave unread */

/* Time that handles live */
#define LIMIT_QUOTE_MS (15 * 60 * 1000)
#define LIMIT_APPROVAL_MS LIMIT_MCP_STATE_MS /* a question about a purchase */
#define LIMIT_REFUSAL_MS (10 * 60 * 1000)    /* nobody is asked again for so long after a no */
#define LIMIT_SESSION_MS (12 * 60 * 60 * 1000)

/* Money */
#define LIMIT_CREDIT_MIN_CENTS 100     /* 1 USD */
#define LIMIT_CREDIT_MAX_CENTS 1000000 /* 10 000 USD */
#define LIMIT_FUND_MAX_CENTS 100000000 /* 1 000 000 USD in one funding */

#endif
