"""``edgeauth serve``: the decision of the guard over HTTP, for reverse proxies.

A proxy asks it about each request before it lets the request through::

    supervisor --fork--> worker 0..N-1   uvicorn, DecisionApp    listens on the service's socket
               --fork--> admin           uvicorn, AdminApp       /healthz /readyz /metrics

    original    what the proxy says the original request was, one way a proxy
    app         the decision, as a raw ASGI application
    protocol    uvicorn's HTTP protocol with bounds on what a client can hold up
    state       what one generation of the configuration decides by; sent to the workers
    board       counters in memory that all processes share
    metrics     those counters as Prometheus has them
    supervisor  starts, replaces, reloads and drains the processes

It needs the extra ``serve``. Nothing here is imported by the rest of the package.
"""
