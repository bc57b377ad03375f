"""Every setting, from the environment, refused at start-up when it makes no sense."""

from email.utils import parseaddr
from pathlib import Path
from typing import Any, TypeVar

import environ
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from backend.config.photo_storage import storage_of_photos

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()


Number = TypeVar("Number", int, float)


def number(name: str, default: Number, least: float, most: float) -> Number:
    """A whole number where the default is one; `nan` is no number."""
    kind = type(default)
    text: str = env.str(name, str(default))
    what = {int: "a whole number", float: "a number"}[kind]
    refusal = ImproperlyConfigured(
        f"{name} is {what} from {least} to {most}, not {text}"
    )
    try:
        value = kind(text)
    except ValueError as broken:
        raise refusal from broken
    if not least <= value <= most:
        raise refusal
    return value


def fernet_keys(name: str) -> list[str]:
    keys: list[str] = env.list(name)
    for key in keys:
        try:
            Fernet(key)
        except ValueError as broken:
            raise ImproperlyConfigured(
                f"{name}: each key is 32 bytes in URL-safe base64"
            ) from broken
    if not keys:
        raise ImproperlyConfigured(f"{name} needs a key")
    return keys


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY needs at least 32 characters")
# Contact data is encrypted with the first; what older ones wrote can still be read.
DATA_KEYS = fernet_keys("DATA_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
# How many proxies stand in front: the address that the outermost of them saw is the
# caller's. None: whatever a header claims, it is who the connection comes from.
PROXIES = number("PROXIES", 0, 0, 100)
# How many times wider than mobile_api/throttles.py and backend/cases/access.py say
# strangers' limits are.
LIMITS_FACTOR = number("LIMITS_FACTOR", 1.0, 0.001, 1_000_000)
# Whose push services are called: a phone's own word would let it name any machine.
PUSH_HOSTS = env.list(
    "PUSH_HOSTS",
    default=[
        "fcm.googleapis.com",
        "push.services.mozilla.com",
        "notify.windows.com",
        "web.push.apple.com",
    ],
)
# Whom a push service turns to when something is wrong with what it is sent (RFC 8292).
PUSH_CONTACT = env.str("PUSH_CONTACT", "mailto:soporte@localhost")
if not PUSH_CONTACT.startswith(("mailto:", "https://")):
    raise ImproperlyConfigured("PUSH_CONTACT begins with mailto: or https://")
# Where people reach this installation, for the links in what is sent to them.
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8311").rstrip("/")
if not PUBLIC_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("PUBLIC_URL begins with http:// or https://")
# Open311's discovery: whom to ask for a key, and whether this is where cases are real.
OPEN311_CONTACT = env.str("OPEN311_CONTACT", f"311 · {PUBLIC_URL}")
OPEN311_TYPE = env.str("OPEN311_TYPE", "production")
if OPEN311_TYPE not in {"production", "test"}:
    raise ImproperlyConfigured("OPEN311_TYPE is production or test")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "provinces",
    "backend.accounts",
    "backend.cases",
    "map_views",
    "mobile_api",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.gis",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "drf_spectacular",
    "knox",
    "procrastinate.contrib.django",
    "rest_framework",
    "rest_framework_gis",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "map_views.open_door.OpenDoorMiddleware",
    "geo.replica.ReplicaMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mobile_api.middleware.DatabaseAwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "backend.config.urls"
WSGI_APPLICATION = "backend.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "map_views.context.demonstration",
            ],
        },
    },
]

MOST_MS = 2**31 - 1  # PostgreSQL's own
STATEMENT_TIMEOUT_MS = number("STATEMENT_TIMEOUT_MS", 300_000, 1, MOST_MS)
LIMITS_OF_STATEMENTS = " ".join(
    [
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        f"-c lock_timeout={number('LOCK_TIMEOUT_MS', 60_000, 1, MOST_MS)}",
        "-c idle_in_transaction_session_timeout=30000",
    ]
)


def database(name: str) -> dict[str, Any]:
    """What the variable says, with what all connections have."""
    found: dict[str, Any] = {
        **env.db(name, engine="django.contrib.gis.db.backends.postgis"),
        # Persistent connections that are checked: after PostgreSQL restarts, the
        # next request finds it again within a tenth of a second.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
    found.setdefault("OPTIONS", {})["options"] = LIMITS_OF_STATEMENTS
    # Of a machine that vanished nobody says that it did: seconds, then milliseconds.
    found["OPTIONS"] |= {"connect_timeout": 5, "tcp_user_timeout": 10_000}
    return found


DATABASES = {"default": database("DATABASE_URL")}
# A streaming replica, for the map's questions alone: geo/replica.py says when.
if env.str("REPLICA_URL", ""):
    DATABASES["replica"] = database("REPLICA_URL") | {"TEST": {"MIRROR": "default"}}
    # The primary answers soon after a replica does not.
    DATABASES["replica"]["OPTIONS"] |= {"connect_timeout": 2, "tcp_user_timeout": 3000}
    DATABASE_ROUTERS = ["geo.replica.ReplicaRouter"]
# One that is farther behind is not asked.
REPLICA_MOST_SECONDS = number("REPLICA_MOST_SECONDS", 10.0, 0.001, 3600)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "backend" / "config" / "locale"]
FORMAT_MODULE_PATH = "backend.config.formats"
TIME_ZONE = "America/Panama"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / ".local" / "static"))()
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / ".local" / "media"))()
MEDIA_URL = "/fotos/"
# Photos: in a folder of this machine, or with S3_BUCKET in any S3.
S3 = {
    name: env.str(f"S3_{name}", "")
    for name in ("BUCKET", "ENDPOINT", "REGION", "ACCESS_KEY", "SECRET_KEY")
}
# Who may see a photo is sent to the S3 for it, with a link that expires, instead of
# getting it from here. Then the S3 must be reachable for everybody.
S3_SIGNED_LINKS = env.bool("S3_SIGNED_LINKS", False)
S3_LINK_SECONDS = 300
STORAGES = {
    "default": storage_of_photos(S3, S3_SIGNED_LINKS, S3_LINK_SECONDS),
    "staticfiles": {"BACKEND": "backend.config.static_files.HashedModulesStorage"},
}

# A JSON body has no reason to be larger; photos have their own limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# A page of the administration sends its hundred rows, or all permissions there are.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 8
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["mobile_api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["mobile_api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mobile_api.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {
    "TOKEN_TTL": None,
    "USER_SERIALIZER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "311 móvil",
    "DESCRIPTION": "Reportes ciudadanos georreferenciados de Panamá.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_NAME_OVERRIDES": {
        "FlagReasonEnum": "backend.cases.models.Flag.Reason",
        "OpenStatusEnum": "mobile_api.schemas.OPEN_STATUSES",
        "PhotoStateEnum": "backend.cases.models.Photo.State",
        "SlaUnitEnum": "backend.cases.models.Category.SlaUnit",
        "StatusEnum": "backend.cases.workflow.Status",
        "StepOfCrewEnum": "mobile_api.schemas.STEPS_OF_CREWS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mobile_api.schema_hooks.finish",
    ],
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # blob: the phone app shows a photo before it is sent.
        "img-src": [
            *(SELF, "data:", "blob:"),
            *([S3["ENDPOINT"]] if S3_SIGNED_LINKS else []),
        ],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # The phone app works without a signal through one.
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# How e-mail goes out: smtp://, smtp+tls:// or smtp+ssl://user:password@host:port; without
# it, into files. Never to the log, which would then hold addresses and what they are told.
EMAIL_URL = env.email_url(
    "EMAIL_URL", default=f"filemail:///{BASE_DIR / '.local' / 'mail'}"
)
EMAIL_BACKEND = EMAIL_URL["EMAIL_BACKEND"]
if EMAIL_BACKEND.endswith("console.EmailBackend"):
    raise ImproperlyConfigured("EMAIL_URL: the log is no place for people's e-mail")
EMAIL_FILE_PATH = EMAIL_URL["EMAIL_FILE_PATH"]
EMAIL_HOST = EMAIL_URL["EMAIL_HOST"] or "localhost"
EMAIL_HOST_USER = EMAIL_URL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = EMAIL_URL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = EMAIL_URL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_URL.get("EMAIL_USE_SSL", False)
EMAIL_PORT = EMAIL_URL["EMAIL_PORT"] or (
    465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "311 móvil <311@localhost>")
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1]:
    raise ImproperlyConfigured("EMAIL_FROM needs an address")

# Jobs are deleted when they are done; what failed stays to be looked at.
PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}
# The tasks that look after the jobs themselves; the others are in each app's `tasks.py`.
PROCRASTINATE_IMPORT_PATHS = ["backend.upkeep"]
# A worker that has been silent for so long is dead, and its jobs are another's.
WORKER_SILENCE_SECONDS = number("WORKER_SILENCE_SECONDS", 30.0, 0.1, 86_400)
# How long a worker that is asked to stop goes on with the jobs it has in hand.
WORKER_GRACE_SECONDS = number("WORKER_GRACE_SECONDS", 25.0, 0, 86_400)

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# Behind HTTPS (production) everything that can insist on it does.
HTTPS = env.bool("HTTPS", False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# Debian 12's GDAL is older than the fix for CVE-2026-114582. The hole needs a
# stranger's text in SpatialReference(); tests/test_promises.py shows that none gets there.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "backend.logs.MaskedFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Without Django's own handlers: it would send errors, with the whole request,
        # by e-mail to whoever is in ADMINS.
        "django": {"level": "INFO"},
        # In the server's workers, what it says of a request passes here too.
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
        # Two lines for each job that goes well would bury the one that did not.
        "procrastinate": {"level": "WARNING"},
    },
}

# How long it is kept who looked at a contact: days.
ACCESS_LOG_DAYS = number("ACCESS_LOG_DAYS", 7 * 365, 1, 36_500)

# The territory: beyond this, a point in no outline is not in Panama (the widest gap of
# the shipped outlines is inside it; the territorial sea is 12 nautical miles).
SNAP_METRES = number("SNAP_METRES", 15_000, 0, 500_000)
# How long after a case was closed whoever reported it may still say: it is not done.
REOPEN_DAYS = number("REOPEN_DAYS", 30, 0, 36_500)

# How many may take all of the public data at once, of all that this database serves; the
# others are told to come back.
EXPORTS_AT_ONCE = number("EXPORTS_AT_ONCE", 4, 1, 1000)
# How long a file of data that somebody asked for is kept, and every night's.
DATA_FILE_HOURS = number("DATA_FILE_HOURS", 24, 1, 8760)
DATA_SNAPSHOT_DAYS = number("DATA_SNAPSHOT_DAYS", 7, 1, 3650)
# Who publishes the data, and where to write to them: for catalogues.
DATA_PUBLISHER = env.str("DATA_PUBLISHER", "311 móvil")
DATA_CONTACT = env.str("DATA_CONTACT", "mailto:soporte@localhost")
if not DATA_CONTACT.startswith(("mailto:", "https://")):
    raise ImproperlyConfigured("DATA_CONTACT begins with mailto: or https://")
