"""As Producer.java, by the client that Kafka's vendor has for Python. usage: producer.py HOST:PORT TOPIC SECONDS
[KEY=VALUE...]; confluent_kafka is found through PYTHONPATH. Prints {"rows", "seconds"}."""

import json
import struct
import sys
import time

import confluent_kafka

FAILED = []


def delivered(error, _message):
    if error is not None:
        FAILED.append(error)


def main():
    address, topic, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    given = dict(pair.split("=", 1) for pair in sys.argv[4:])
    producer = confluent_kafka.Producer({
        "bootstrap.servers": address, "acks": "all", "enable.idempotence": True,
        "on_delivery": delivered, **given})
    producer.list_topics(topic, timeout=30)  # connects
    number = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        try:
            producer.produce(topic, struct.pack(">q", number) + b"%020d" % number)
        except BufferError:  # its queue is full
            producer.poll(0.01)
            continue
        number += 1
        if number % 1000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    taken = time.perf_counter() - began
    if left or FAILED:
        sys.exit(f"{left} records not acknowledged; {FAILED[:3]}")
    print(json.dumps({"rows": number, "seconds": taken}))


if __name__ == "__main__":
    main()
