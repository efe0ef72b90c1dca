# The page in a container, on the CPU:
#   docker build -t pixgen . && docker run -p 7860:7860 -v pixgen:/data pixgen
# With CUDA, on a machine with NVIDIA's container toolkit:
#   docker build -t pixgen --build-arg TORCH_INDEX=https://pypi.org/simple . && docker run --gpus all -p 7860:7860 pixgen
FROM python:3.12-slim

# torch's CPU build is a tenth of the CUDA build.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

RUN useradd --create-home --uid 1000 pixgen && mkdir /data && chown pixgen /data
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" torch torchvision \
    && pip install --no-cache-dir -r requirements.txt
COPY --chown=pixgen app.py README.md ./
COPY --chown=pixgen pixgen pixgen
COPY --chown=pixgen presets presets
COPY --chown=pixgen assets assets

USER pixgen
ENV PIXGEN_OUTPUT_DIR=/data PIXGEN_CACHE=/data/models PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=120s --interval=30s --timeout=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=5)"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--public"]
