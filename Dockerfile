# kanspice with ngspice, without GPU packages:
#   docker build -t kanspice .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" kanspice demo
FROM python:3.12-slim

RUN apt-get update -q && apt-get install -qy --no-install-recommends ngspice && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /src/
RUN pip install --no-cache-dir -c /src/constraints.txt --index-url https://download.pytorch.org/whl/cpu torch
COPY . /src/
RUN pip install --no-cache-dir -c /src/constraints.txt /src && rm -rf /src

ENV HOME=/tmp
WORKDIR /work
RUN chmod 777 /work
USER nobody
ENTRYPOINT ["kanspice"]
CMD ["demo"]
