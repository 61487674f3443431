# The app with its REST interface, and the workers of a Dask cluster: see docs/deployment.md.
FROM python:3.11-slim-bookworm

# PYTHONPATH: the workers of a cluster import the package from wherever they are started.
ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/app \
    HOME=/tmp \
    FRACTURE_DATA=/var/lib/fracture/data \
    FRACTURE_MODELS=/var/lib/fracture/models \
    FRACTURE_SHIPPED=/app/models \
    FRACTURE_CACHE=/var/lib/fracture/cache

WORKDIR /app
COPY requirements.txt requirements-cluster.txt ./
RUN pip install --no-cache-dir -r requirements.txt -r requirements-cluster.txt

COPY . .
# A volume that is new takes the owner of the folder that it covers.
RUN python -m compileall -q fracture pages \
    && groupadd --gid 1000 fracture \
    && useradd --uid 1000 --gid 1000 --no-create-home fracture \
    && mkdir -p /var/lib/fracture/data /var/lib/fracture/models /var/lib/fracture/cache \
    && chown -R fracture:fracture /var/lib/fracture

USER 1000:1000
VOLUME ["/var/lib/fracture/data", "/var/lib/fracture/models", "/var/lib/fracture/cache"]
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "server.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
