FROM python:3.12-slim-bookworm

# GeoDjango loads GDAL, GEOS and PROJ, and the boundaries are read with ogr2ogr; the
# Python packages bring the rest in their wheels.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gdal-bin \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.lock requirements-extras.lock ./
# With `--build-arg LOCK=requirements-extras.lock`, photos in S3 and those of iPhones too.
ARG LOCK=requirements.lock
RUN pip install --no-cache-dir --require-hashes --requirement "$LOCK"

COPY manage.py docker/start ./
COPY fixtures fixtures
COPY provinces provinces
COPY backend backend
COPY geo geo
COPY mobile_api mobile_api
COPY map_views map_views

# The code stays root's: whoever gets in as this user cannot change it.
RUN useradd --system --no-create-home movil311 \
    && install -d -o movil311 /var/lib/movil311 /var/lib/movil311/media \
    && install -d -o movil311 -m 700 /var/lib/movil311/mail
ENV DJANGO_SETTINGS_MODULE=backend.config.settings \
    STATIC_ROOT=/var/lib/movil311/static \
    MEDIA_ROOT=/var/lib/movil311/media \
    EMAIL_URL=filemail:////var/lib/movil311/mail \
    PYTHONUNBUFFERED=1
USER movil311
RUN SECRET_KEY=for-this-line-only-and-forgotten-after-it DATABASE_URL=postgis://nobody@nowhere/nothing \
    DATA_KEY=Zm9yLXRoaXMtbGluZS1vbmx5LWFuZC1mb3Jnb3R0ZW4= \
    python manage.py collectstatic --no-input -v0

EXPOSE 8000
CMD ["./start"]
