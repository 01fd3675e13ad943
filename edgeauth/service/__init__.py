"""``edgeauth serve``: the guard's decision over HTTP, for reverse proxies.

A proxy asks it about each request before it lets the request through::

    supervisor --fork--> worker 0..N-1   DecisionApp    listens on the service's socket
               --fork--> admin           AdminApp       /healthz /readyz /metrics

    original_request  reads the original request from the headers of each kind of proxy
    app               the decision, and the answer to it
    protocol          one connection: as much of HTTP/1.1 as questions need, on httptools
    answer            one answer, as bytes
    state             one generation of the configuration, as sent to the workers
    counters          counters in memory that all processes share
    metrics           offers those counters to Prometheus
    supervisor        opens the sockets and handles the signals
    configuration     the state in force, and what may replace it
    rollout           brings each generation to all workers
    children, child   starts, replaces and drains the processes
    channel           sends a state to a process
    worker            serves in a process, on uvloop

It needs the extra ``serve``. It may import the proof, the plumbing and the adapters. The tools may
import it, nothing else does.
"""
