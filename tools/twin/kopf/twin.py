#!/usr/bin/env python3
"""Makes links active like the operator, with kopf: a peer for the benchmark. Creation only; reads with requests."""
import asyncio
import collections
import datetime
import hashlib
import json
import logging

import kopf
from kubernetes_asyncio import client, config

MANAGED, SOURCE_UID, LINK = "app.kubernetes.io/managed-by", "instancelink.dev/source-uid", "instancelink.dev/link"
ENTRIES = "instancelink.dev/entries"
LINKS = ("instancelink.dev", "v1alpha1", "instancelinks")
sources = collections.defaultdict(asyncio.Lock)
made = set()
api: client.ApiClient


@kopf.on.startup()
async def startup(settings, **_):
    global api
    await config.load_kube_config()
    api = client.ApiClient()
    settings.posting.level = logging.ERROR
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage()


@kopf.on.cleanup()
async def cleanup(**_):
    await api.close()


@kopf.on.login()
def login(**kwargs):
    return kopf.login_with_kubeconfig(**kwargs)


@kopf.on.create(*LINKS, when=lambda spec, **_: spec.get("desiredState") != "Inactive")
async def create(body, spec, name, namespace, **_):
    core = client.CoreV1Api(api)
    instance, alias = spec["instanceRef"]["name"], spec["linkName"]
    source = await client.AppsV1Api(api).read_namespaced_deployment(instance, namespace)
    owner = await core.read_namespace(namespace)
    target = await core.read_namespaced_service(spec["targetInstanceRef"]["name"], namespace)
    ports, endpoints = await reach(core, namespace, alias, target)
    old = body["status"]
    uids = {"accountId": owner.metadata.uid, "instanceId": source.metadata.uid, "targetInstanceId": target.metadata.uid}
    old = await enter(body, old, uids, "activating", endpoints)
    shared = {
        "name": f"{instance}-links",
        "labels": {MANAGED: "instancelink", SOURCE_UID: source.metadata.uid},
        "annotations": {LINK: f"{namespace}/{name}"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": instance, "uid": source.metadata.uid}],
    }
    async with sources[namespace, instance]:
        if source.metadata.uid not in made:
            await if_new(core.create_namespaced_service(namespace, {"metadata": shared, "spec": {"clusterIP": "None"}}))
            made.add(source.metadata.uid)
        await environment(core, body, namespace, shared, variables(namespace, instance, alias, ports))
    await if_new(client.DiscoveryV1Api(api).create_namespaced_endpoint_slice(namespace, {
        "metadata": {
            "name": f"{name}-v4",
            "labels": {
                MANAGED: "instancelink", "instancelink.dev/link-uid": body["metadata"]["uid"],
                "endpointslice.kubernetes.io/managed-by": "instancelink.dev",
                "kubernetes.io/service-name": shared["name"], "service.kubernetes.io/headless": "",
            },
            "annotations": {LINK: f"{namespace}/{name}"},
            "ownerReferences": [{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": name,
                                 "uid": body["metadata"]["uid"]}],
        },
        "addressType": "IPv4", "endpoints": endpoints,
        "ports": [{"name": alias if i == 0 else f"{alias}--{p['name']}", "port": p["port"], "protocol": p["protocol"]}
                  for i, p in enumerate(ports)],
    }))
    await enter(body, old, uids, "active", endpoints)


async def reach(core, namespace, alias, target):
    """The ports and endpoints of an alias: the cluster IP of the Service, if it has one, else the addresses of its pods."""
    selector = ",".join(f"{k}={v}" for k, v in (target.spec.selector or {}).items())
    pods = (await core.list_namespaced_pod(namespace, label_selector=selector)).items if selector else []
    ready = {p.metadata.uid: any(c.type == "Ready" and c.status == "True" for c in p.status.conditions or []) for p in pods}
    by_ip = target.spec.cluster_ip not in (None, "", "None")
    ports = [{"name": p.name or f"p{p.port}", "port": p.port if by_ip or not isinstance(p.target_port, int) else p.target_port,
              "protocol": p.protocol} for p in target.spec.ports or []]

    def endpoint(kind, of, address, is_ready):
        found = {"addresses": [address], "hostname": alias,
                 "conditions": {"ready": is_ready, "serving": is_ready, "terminating": False},
                 "targetRef": {"kind": kind, "namespace": namespace, "name": of.metadata.name, "uid": of.metadata.uid}}
        if kind == "Pod" and of.spec.node_name:
            found["nodeName"] = of.spec.node_name
        return found

    if by_ip:
        return ports, [endpoint("Service", target, target.spec.cluster_ip, any(ready.values()))]
    return ports, [endpoint("Pod", p, p.status.pod_ip, ready[p.metadata.uid]) for p in pods if p.status.pod_ip]


def variables(namespace, instance, alias, ports):
    name, host = alias.upper().replace("-", "_"), f"{alias}.{instance}-links.{namespace}.svc"
    found = {f"{name}_NAME": f"/{instance}/{alias}"}
    for p in ports:
        protocol = p["protocol"].lower()
        url, prefix = f"{protocol}://{host}:{p['port']}", f"{name}_PORT_{p['port']}_{p['protocol']}"
        found.setdefault(f"{name}_PORT", url)
        found |= {prefix: url, f"{prefix}_ADDR": host, f"{prefix}_PORT": str(p["port"]), f"{prefix}_PROTO": protocol}
    return found


async def environment(core, body, namespace, shared, own):
    """Adds the variables of the link to those of its source. No other client writes them at the same time."""
    entry = {body["metadata"]["uid"]: sorted(own)}
    try:
        standing = await core.read_namespaced_config_map(shared["name"], namespace)
    except client.ApiException as e:
        if e.status != 404:
            raise
        annotations = shared["annotations"] | {ENTRIES: json.dumps(entry, separators=(",", ":"))}
        await core.create_namespaced_config_map(namespace, {"metadata": shared | {"annotations": annotations}, "data": own})
        return
    entries = dict(sorted((json.loads(standing.metadata.annotations[ENTRIES]) | entry).items()))
    standing.metadata.annotations[ENTRIES] = json.dumps(entries, separators=(",", ":"))
    standing.data = (standing.data or {}) | own
    await core.replace_namespaced_config_map(shared["name"], namespace, standing)


async def if_new(creation):
    try:
        await creation
    except client.ApiException as e:
        if e.status != 409:
            raise


async def enter(body, old, uids, state, endpoints):
    """Writes the status of a state."""
    status = status_of(body, old, uids, state, any(e["conditions"]["ready"] for e in endpoints))
    meta = body["metadata"]
    await client.CustomObjectsApi(api).patch_namespaced_custom_object_status(
        LINKS[0], LINKS[1], meta["namespace"], LINKS[2], meta["name"], {"status": status},
        _content_type="application/merge-patch+json")
    return status


def status_of(body, old, uids, state, is_ready):
    meta, spec = body["metadata"], body["spec"]
    now = datetime.datetime.now(datetime.timezone.utc)
    at, active = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), state == "active"
    history = list(old.get("history", [])) or [{"state": "registering", "at": at, "cause": "create"}]
    status = uids | {
        "id": int.from_bytes(hashlib.sha256(meta["uid"].encode()).digest()[:7], "big") >> 4,
        "kind": "instanceLink", "state": state, "linkName": spec["linkName"], "created": meta["creationTimestamp"],
        "uuid": meta["uid"], "observedGeneration": meta["generation"], "availableActions": ["deactivate", "remove"],
        "fqdn": f"{spec['linkName']}.{spec['instanceRef']['name']}-links.{meta['namespace']}.svc.cluster.local",
        "history": [*history, {"state": state, "at": at, "cause": "done" if active else "create"}],
        "transitioning": "no" if active else "yes",
        "transitioningMessage": None if active else "writes the data plane",
        "transitioningProgress": None if active else 100,
    }
    if active:
        target = {"apiVersion": "v1", **spec["targetInstanceRef"], "namespace": meta["namespace"]}
        fields = [dict(sorted(target.items())), None, spec["addressing"], spec["publishNotReadyAddresses"],
                  spec["networkPolicy"], "Docker", None]
        status["programmedHash"] = hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()[:12]
        status["target"] = dict(spec["targetInstanceRef"])
    is_now = f"the link is {state}"
    conditions = [("Accepted", True, "Accepted", "the spec can be served"),
                  ("ResolvedRefs", True, "Resolved", "source and target were found")]
    if active:
        conditions += [("Programmed", True, "Programmed", "the API server confirmed what this state asks for"),
                       ("Available", True, "EndpointsReady", "the alias has ready endpoints") if is_ready else
                       ("Available", False, "NoReadyEndpoints", "no endpoint of the target is ready"),
                       ("Ready", True, "Ready", is_now)]
    else:
        conditions += [("Programmed", False, "Pending", is_now), ("Available", False, "NotActive", "the link is not active"),
                       ("Ready", False, "Transitioning", is_now), ("Reconciling", True, "Transitioning", is_now)]
    conditions.append(("Enforced", False, "DNSOnly",
                       "being cut, the link takes names and addresses away; who knows an address still reaches it"))
    since = {(c["type"], c["status"]): c["lastTransitionTime"] for c in old.get("conditions", [])}
    status["conditions"] = [
        {"type": kind, "status": str(holds), "reason": reason, "message": message, "observedGeneration": meta["generation"],
         "lastTransitionTime": since.get((kind, str(holds)), now.strftime("%Y-%m-%dT%H:%M:%SZ"))}
        for kind, holds, reason, message in conditions]
    return status


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    kopf.run(clusterwide=True, standalone=True)
