"""How gunicorn serves, wherever it is started: `--config python:backend.config.serving`.

Where and with how many workers, whoever starts it says.
"""

import ctypes

# Of glibc's malloc.h. By itself it gives each thread a pool of its own, and what they
# let go stays in all of them: a worker grew from 160 MB to 210 in a day. One thread at
# a time works here, and two pools are enough; musl has neither the pools nor this.
M_ARENA_MAX = -8
if hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(M_ARENA_MAX, 2)

wsgi_app = "backend.config.wsgi"
# Threads share what a worker knows of boundaries and rules; most of them wait for
# PostgreSQL or for a phone.
worker_class = "gthread"
threads = 8
# All is loaded once, before there are workers: they begin at once, also in the place of
# one that died, and what they do not change they have in common.
preload_app = True
timeout = 30
graceful_timeout = 30
max_requests = 5000
max_requests_jitter = 500
control_socket_disable = True
