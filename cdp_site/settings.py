"""The one settings file: everything that differs between machines comes from the environment.

`cdp_site/bootstrap.py` fills in what a demo or a test run needs; a production machine sets it itself
(README, "Production").
"""

import warnings
from hashlib import sha256
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Keyed hashes of identifiers (suppression, national ids) and files at rest: see core/hashing.py.
# "k1:<64 hex>,k2:<64 hex>": every listed key still verifies, the last one writes.
CDP_HASH_KEYS = env.list("CDP_HASH_KEYS")
CDP_FILE_KEY = env.str("CDP_FILE_KEY")

# Where import files, exports and the erasure ledger live; never inside the web root.
CDP_DATA = Path(env.str("CDP_DATA", default=str(BASE_DIR / ".data")))
# Who was erased, as keyed hashes; read after a restore. Best on another disk than the database.
ERASURE_LEDGER = Path(env.str("ERASURE_LEDGER", default=str(CDP_DATA / "erasures" / "ledger.jsonl")))
REWRITE_STORAGE_DAYS = env.int("REWRITE_STORAGE_DAYS", default=30)  # well inside the 90 days of PDPA s.33

# Backups: their folder (best another machine's disk), how many days each is kept, at most 35 (an erased person is gone
# from all of them by then), whether one is made every night, and where pg_dump is if not in the package.
BACKUPS = env.str("BACKUPS", default="") or str(CDP_DATA / "backups")
BACKUP_DAYS = env.int("BACKUP_DAYS", default=30)
BACKUP_DAILY = env.bool("BACKUP_DAILY", default=True)
PG_BINARIES = env.str("PG_BINARIES", default="")

COMPANY_NAME = env.str("COMPANY_NAME", default="Baan Sabai")
COMPANY_CURRENCY = env.str("COMPANY_CURRENCY", default="THB")
COMPANY_TIME_ZONE = env.str("COMPANY_TIME_ZONE", default="Asia/Bangkok")
# From which ages people consent alone: where a purpose leaves it to them, and everywhere (PDPA s.20).
AGE_OF_OWN_CONSENT = env.int("AGE_OF_OWN_CONSENT", default=10)
AGE_OF_MAJORITY = env.int("AGE_OF_MAJORITY", default=20)
PREFERENCE_LINK_DAYS = env.int("PREFERENCE_LINK_DAYS", default=30)  # a link to a preference page opens it so long
COMPANY_PHONE_REGION = env.str("COMPANY_PHONE_REGION", default="TH")

INSTALLED_APPS = [
    "cdp_site.operations",  # first: its `qcluster` takes the place of django-q2's
    # Before the libraries: of a word that Django translates as well, our Thai wins.
    "cdp_site.core",
    "ingestion",
    "profiles",
    "consent",
    "segments",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_q",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "cdp_site.core.middleware.CookieLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cdp_site.core.login.sessions.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "cdp_site.core.login.second_factors.SecondFactorMiddleware",
    "cdp_site.core.stand_in.ViewAsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cdp_site.core.middleware.RequestLogMiddleware",
    "cdp_site.core.middleware.ErrorTreeMiddleware",
]

ROOT_URLCONF = "cdp_site.urls"
WSGI_APPLICATION = "cdp_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cdp_site.core.context.interface",
            ],
        },
    },
]

if not env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured(
        "DATABASE_URL is not set. `python3 manage.py …` starts the embedded PostgreSQL by itself; "
        "for a server of your own set DATABASE_URL=postgres://user:password@host:5432/name."
    )
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"}}

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: nobody who is not logged in holds a grant
GUARDIAN_MONKEY_PATCH_USER = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "cdp_site.core.login.session_store"  # rows under a keyed hash: of no use to who steals the table
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_ABSOLUTE_HOURS = env.int("SESSION_ABSOLUTE_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_HOURS * 3600
# What hurts most asks for a login of the last minutes (core/login/fresh.py).
LOGIN_FRESH_MINUTES = env.int("LOGIN_FRESH_MINUTES", default=5)
# Roles that must have a second factor, such as admin,compliance: who has none sets one up before anything else.
SECOND_FACTOR_ROLES = env.list("SECOND_FACTOR_ROLES", default=[])

# django-allauth, behind our own addresses, forms and limits (core/login/). Nobody signs up: administrators make users.
ACCOUNT_ADAPTER = "cdp_site.core.login.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds that the link to a new password is good for
ACCOUNT_LOGIN_TIMEOUT = 10 * 60  # from the password to the second factor, seconds
ACCOUNT_RATE_LIMITS = False  # core/login/limits.py has its own
MFA_ADAPTER = "cdp_site.core.login.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_TOLERANCE = 1  # clocks of phones: 30 seconds to either side
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RATE_LIMITS = False
MFA_FORMS = {
    name: f"cdp_site.core.login.forms.{form}"
    for name, form in {
        "authenticate": "CodeForm",
        "authenticate_webauthn": "PasskeyForm",
        "login_webauthn": "PasskeyLoginForm",
        "add_webauthn": "AddPasskeyForm",
        "activate_totp": "ActivateCodesForm",
    }.items()
}
SOCIALACCOUNT_ADAPTER = "cdp_site.core.login.adapters.CompanyLoginAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # core/login/company.py does it, more strictly
SOCIALACCOUNT_STORE_TOKENS = False
# The company's own login provider (OpenID Connect); without a server there is none.
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="")
OIDC_NAME = env.str("OIDC_NAME", default="") or COMPANY_NAME
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, object]] = {
    "openid_connect": {
        "APPS": [
            {
                # Of the server: the same subject at another one is another person.
                "provider_id": f"oidc-{sha256(OIDC_SERVER_URL.encode()).hexdigest()[:12]}",
                "name": OIDC_NAME,
                "client_id": env.str("OIDC_CLIENT_ID", default=""),
                "secret": env.str("OIDC_CLIENT_SECRET", default=""),
                "settings": {
                    "server_url": OIDC_SERVER_URL,
                    "oauth_pkce_enabled": True,
                    "fetch_userinfo": env.bool("OIDC_USERINFO", default=False),
                    # Mail domains whose addresses the server vouches for without saying `email_verified`.
                    "verified_email": env.list("OIDC_VERIFIED_DOMAINS", default=[]),
                },
            }
        ]
        if OIDC_SERVER_URL
        else []
    }
}

LANGUAGE_CODE = "th"
LANGUAGES = [("th", _("Thai")), ("en", _("English"))]
TIME_ZONE = COMPANY_TIME_ZONE
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without a collected copy (demo, tests) WhiteNoise serves the files where they lie, and need not say so.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT.exists()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Behind TLS set HTTPS=1: cookies, redirect and HSTS follow. The demo speaks plain HTTP to localhost only.
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# How many proxies of ours write X-Forwarded-For, one behind the other: who guesses passwords is told apart by address.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=int(BEHIND_PROXY))
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "cdp_site.views.csrf_failure"

# The event API's limits (Segment's): bytes.
TRACKING_MAX_BATCH_BYTES = 500 * 1024
TRACKING_MAX_EVENT_BYTES = 32 * 1024
# How long a worker holds what it works on: then a dead one's batches go to another.
DIGEST_LEASE_SECONDS = env.float("DIGEST_LEASE_SECONDS", default=120.0)
# More batches than that waiting for the digest: the event API answers 429 until it has caught up.
TRACKING_MAX_WAITING_BATCHES = env.int("TRACKING_MAX_WAITING_BATCHES", default=20_000)
# Messages a second that a source without a rate of its own may send; 0: as many as it likes.
TRACKING_RATE_PER_SECOND = env.int("TRACKING_RATE_PER_SECOND", default=0)
# Larger uploads stream to the encrypted import store in chunks and never sit in memory whole.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# A segment of 100 conditions with filters is a form of about 3,000 fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=2 * 1024**3)
# A packed file may unpack to that many times its size; a workbook is opened in a process with this memory and time.
IMPORT_MAX_RATIO = env.int("IMPORT_MAX_RATIO", default=200)
IMPORT_WORKBOOK_MEMORY = env.int("IMPORT_WORKBOOK_MEMORY", default=384 * 1024**2)
IMPORT_WORKBOOK_SECONDS = env.int("IMPORT_WORKBOOK_SECONDS", default=120)
# Hosts of databases that may be pulled from; empty: none. And the longest that one question may take.
PULL_HOSTS = env.list("PULL_HOSTS", default=[])
PULL_STATEMENT_SECONDS = env.int("PULL_STATEMENT_SECONDS", default=300)
# Folders below which watched folders may be configured; empty: none.
WATCHED_FOLDERS_ROOTS = env.list("WATCHED_FOLDERS_ROOTS", default=[])
# A copy of somebody's personal data, made for their request, may be fetched so many days.
PACKAGE_DAYS = env.int("PACKAGE_DAYS", default=14)
IMPORT_FILE_DAYS = env.int("IMPORT_FILE_DAYS", default=30)
# A merge in review that would make a customer of more records waits for a second person.
MATCH_RECORDS_FOR_ONE_PERSON = env.int("MATCH_RECORDS_FOR_ONE_PERSON", default=8)

# Customers whom one person may open in a day outside verified calls, and from how many on compliance is told.
REVEALS_PER_DAY = env.int("REVEALS_PER_DAY", default=40)
REVEALS_BEFORE_ALARM = env.int("REVEALS_BEFORE_ALARM", default=20)

# Where the end of the audit's chain is written each day, best a disk that the database's administrator cannot write to;
# empty: audit/anchors.jsonl in the data folder.
AUDIT_ANCHORS = env.str("AUDIT_ANCHORS", default="")

# Requests of data subjects: the law that holds without another, a file of laws in place of the one that is shipped,
# the hours between approval and erasure, the days for which an address must have been known before a code is sent to
# it, and the minutes for which the code holds.
REQUEST_HOME_REGIME = env.str("REQUEST_HOME_REGIME", default="pdpa")
REQUEST_REGIMES = env.str("REQUEST_REGIMES", default="")
REQUEST_COOLING_OFF_HOURS = env.int("REQUEST_COOLING_OFF_HOURS", default=0)
REQUEST_CHANNEL_DAYS = env.int("REQUEST_CHANNEL_DAYS", default=30)
REQUEST_CODE_MINUTES = env.int("REQUEST_CODE_MINUTES", default=30)

# core/outgoing.py calls https addresses on the internet only. For a chatbot or mailbox inside the company's network.
OUTGOING_ALLOW_HTTP = env.bool("OUTGOING_ALLOW_HTTP", default=False)
OUTGOING_ALLOW_PRIVATE = env.bool("OUTGOING_ALLOW_PRIVATE", default=False)

# Alerts go out by mail. EMAIL_URL: smtp+tls://user:password@host:587; without it mails are files in the data folder.
PUBLIC_URL = env.str("PUBLIC_URL", default="")  # https://cdp.example.com, for links in mails and webhooks
EMAIL_IS_SENT = bool(env.str("EMAIL_URL", default=""))
if EMAIL_IS_SENT:
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = CDP_DATA / "mail"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="cdp@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["cdp_site.core.rest_access.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["cdp_site.core.rest_bodies.ShallowJSONParser"],
    "EXCEPTION_HANDLER": "cdp_site.core.rest.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Customer data platform",
    "DESCRIPTION": "The event API speaks Segment's HTTP Tracking API: its SDKs and RudderStack's only need the host.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        "ProfileKindEnum": "profiles.api.customer.KINDS",
        "SourceRecordKindEnum": "profiles.api.answers.RECORD_KINDS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ingestion.tracking.openapi.add_event_api",
    ],
}

# The job cluster (operations/cluster.py adds what a killed worker needs). Seconds unless said otherwise.
Q_CLUSTER = {
    "name": "cdp",
    "orm": "default",  # PostgreSQL is the queue
    "workers": env.int("JOB_WORKERS", default=4),  # long imports must not keep the small chores waiting
    "timeout": 3600,
    "retry": 3900,  # above the timeout, or a long job would be delivered twice
    "max_attempts": 3,
    "ack_failures": True,  # a job that raises is not tried again by itself: jobs put themselves back
    "bulk": 20,
    "poll": 0.5,
    "guard_cycle": 1,
    "catch_up": False,  # a schedule that was due while the platform was down runs once
    "save_limit": 500,
}

SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING_CONFIG = "cdp_site.core.logs.configure"
LOGGING: dict[str, object] = {"level": env.str("LOG_LEVEL", default="INFO")}
