#!/usr/bin/env python3
"""Runs 200 links from creation to deletion with each contestant in turn, and compares what each of them wrote.

    KUBECONFIG=… compare.py KUBECTL 'instancelink operator --verify-dns=false --log=error' 'twin --mode=tuned' …

The first contestant is the standard. The cluster needs an API server, kube-controller-manager's namespace controller, and
`deploy/`; the contestants run here, with the same KUBECONFIG. One with kopf in its name creates alone: the first cleans up.
"""
import json
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAMESPACE, SOURCES, LINKS = "twin", 20, 200
KUBECTL = sys.argv[1]
VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "lastTransitionTime", "at",
            "created", "id", "observedGeneration", "uuid"}
WRITES = re.compile(r'apiserver_request_total\{code="(\d+)".*resource="(instancelinks|endpointslices|configmaps|services)"'
                    r'.*subresource="(\w*)",verb="(POST|PUT|PATCH|DELETE)".*\} (\d+)')


def kubectl(*arguments, stdin=None):
    done = subprocess.run([KUBECTL, *arguments], input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def items(kind):
    return json.loads(kubectl("-n", NAMESPACE, "get", kind, "-o", "json"))["items"]


def make(objects):
    kubectl("-n", NAMESPACE, "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def world():
    kubectl("create", "namespace", NAMESPACE)
    selector = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    make([{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"web-{i}"},
           "spec": {"replicas": 0, "selector": selector, "template": template}} for i in range(SOURCES)])
    for number, name in enumerate(["pg", "pg2", "ip"]):
        spec = {"selector": {"app": name}, "ports": [{"name": "pg", "port": 5432}]}
        make([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
               "spec": spec if name == "ip" else {**spec, "clusterIP": "None"}},
              {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{name}-0", "labels": {"app": name}},
               "spec": {"nodeName": "none", "automountServiceAccountToken": False,
                        "containers": [{"name": "main", "image": "none"}]}}])
        answer(f"{name}-0", True, f"10.0.0.{number + 1}")


def answer(pod, ready, address):
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
              "conditions": [{"type": "Ready", "status": str(ready)}]}
    kubectl("-n", NAMESPACE, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def link(number):
    return {"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "metadata": {"name": f"link-{number}"},
            "spec": {"linkName": f"db-{number // SOURCES}", "instanceRef": {"kind": "Deployment", "name": f"web-{number % SOURCES}"},
                     "targetInstanceRef": {"kind": "Service", "name": "ip" if number % 10 == 9 else "pg"}}}


def patch(number, spec):
    kubectl("-n", NAMESPACE, "patch", "il", f"link-{number}", "--type=merge", "-p", json.dumps({"spec": spec}))


def wait(what, holds, seconds=120):
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"in vain: {what}")
        time.sleep(0.3)


def states():
    return [(l["status"]["state"], l["metadata"]["generation"] == l["status"]["observedGeneration"]) for l in items("il")]


def plain(value):
    """The object without the values that differ in each run."""
    if isinstance(value, dict):
        if "instancelink.dev/entries" in value:
            entries = sorted(json.loads(value["instancelink.dev/entries"]).values())
            value = {**value, "instancelink.dev/entries": entries, "instancelink.dev/link": "one of them"}
        return {k: plain(v) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UID", value)
    return value


def snapshot():
    found = {}
    for kind in ["il", "endpointslices", "configmaps", "services"]:
        for o in items(kind):
            text = plain(o)
            if o["kind"] == "Service":
                text["metadata"].get("annotations", {}).pop("instancelink.dev/link", None)
                if o["metadata"]["name"] == "ip":
                    continue
            if o["kind"] == "EndpointSlice" and o["endpoints"] and o["endpoints"][0].get("targetRef", {}).get("kind") == "Service":
                text["endpoints"][0]["addresses"] = ["a cluster IP"]
            found[f"{o['kind']}/{o['metadata']['name']}"] = text
    return found


def writes():
    counted = {}
    for code, resource, subresource, verb, number in WRITES.findall(kubectl("get", "--raw", "/metrics")):
        key = f"{verb} {resource}{'/' + subresource if subresource else ''} {code}"
        counted[key] = counted.get(key, 0) + int(number)
    return counted


def difference(after, before):
    return {k: v - before.get(k, 0) for k, v in sorted(after.items()) if v != before.get(k, 0)}


def further(process, step, start):
    """The rest of the life of the links."""
    for i in range(20):
        patch(i, {"targetInstanceRef": {"kind": "Service", "name": "pg2"}})
    step("retargeted", lambda: states() == [("active", True)] * LINKS)
    for i in range(20, 40):
        patch(i, {"desiredState": "Inactive"})
    step("inactive", lambda: sorted(states()) == [("active", True)] * (LINKS - 20) + [("inactive", True)] * 20)
    for i in range(20, 40):
        patch(i, {"desiredState": "Active"})
    step("active again", lambda: states() == [("active", True)] * LINKS)
    kubectl("-n", NAMESPACE, "delete", "il", "--wait=false", *[f"link-{i}" for i in range(40, 60)])
    step("deleted", lambda: len(states()) == LINKS - 20)
    ready = lambda: {e["conditions"]["ready"] for s in items("endpointslices") for e in s["endpoints"]
                     if e.get("targetRef", {}).get("name") == "pg-0"}
    answer("pg-0", False, "10.0.0.1")
    step("target not ready", lambda: ready() == {False})
    answer("pg-0", True, "10.0.0.77")
    step("target moved", lambda: ready() == {True})
    process.terminate()
    process.wait()
    process, again = start(), time.monotonic()
    step("restarted", lambda: time.monotonic() - again > 5)
    return process


def run(command):
    """The objects after each step."""
    world()
    start = lambda command: subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    process, seen = start(command), {}
    try:
        time.sleep(3)
        before, began = writes(), time.monotonic()

        def step(name, *expected):
            nonlocal before, began
            wait(name, *expected)
            took = time.monotonic() - began
            time.sleep(2)
            after = writes()
            seen[name] = snapshot()
            print(f"  {name}: {took:.1f} s {json.dumps(difference(after, before))}", flush=True)
            before, began = writes(), time.monotonic()

        # Several clients write at the same time, so that the contestant has a queue.
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda first: make([link(i) for i in range(first, LINKS, 8)]), range(8)))
        step("created", lambda: states() == [("active", True)] * LINKS)
        if "kopf" in command:
            process.terminate()
            process.wait()
            process = start(sys.argv[2])
        else:
            process = further(process, step, lambda: start(command))
        kubectl("-n", NAMESPACE, "delete", "il", "--all", "--wait=false")
        step("gone", lambda: not items("il"))
        left = [n for n in seen["gone"] if not re.search("/(pg|pg2|kube-root-ca.crt)$", n)]
        print(f"  left: {left}")
    finally:
        process.terminate()
        process.wait()
        # There is no kubelet that ends the pods.
        kubectl("-n", NAMESPACE, "delete", "pods", "--all", "--force", "--grace-period=0")
        kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")
    return seen


def differ(a, b, where=""):
    if type(a) is type(b) is dict:
        for key in sorted(a.keys() | b.keys()):
            yield from differ(a.get(key), b.get(key), f"{where}.{key}")
    elif type(a) is type(b) is list and len(a) == len(b):
        for number, (x, y) in enumerate(zip(a, b)):
            yield from differ(x, y, f"{where}[{number}]")
    elif a != b:
        yield f"{where}: {json.dumps(a)[:200]} and not {json.dumps(b)[:200]}"


def main():
    standard, failed = None, False
    for command in sys.argv[2:]:
        print(command, flush=True)
        seen = run(command)
        standard = standard or seen
        for name, objects in ((n, o) for n, o in standard.items() if n in seen):
            found = list(differ(objects, seen[name]))
            failed = failed or bool(found)
            print(f"  {name}: {len(objects)} objects, {len(found)} differences")
            for line in found[:5]:
                print(f"    {line}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
