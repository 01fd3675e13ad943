"""``make soak``: hostile and honest traffic for minutes, with faults in the middle.

targets    the four set-ups, and what differs between them
traffic    each kind of request, and what must come of it
visitors   threads that send them and judge the answers
books      answers, decision lines and metrics, and whether they agree
health     memory and file descriptors of each process
once       requests that are good once, and what breaks the store that remembers them
once_proxied  the same through nginx and the decision service
stretches  the load, the faults, and what is compared after each
document   the table and reports/soak.md
"""
