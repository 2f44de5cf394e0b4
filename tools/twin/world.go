package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"instancelink.io/tools/twin/v1alpha1"
)

// world is everything that a link depends on, from the caches.
type world struct {
	namespaceUID, sourceUID, targetUID types.UID
	ports                              []port
	endpoints                          []discoveryv1.Endpoint
}

func (w *world) ready() bool {
	return slices.ContainsFunc(w.endpoints, func(e discoveryv1.Endpoint) bool { return *e.Conditions.Ready })
}

// look reads it.
func (r *Reconciler) look(ctx context.Context, link *v1alpha1.InstanceLink) (*world, error) {
	w := &world{}
	namespace := &corev1.Namespace{}
	if _, err := r.find(ctx, "", link.Namespace, namespace); err != nil {
		return nil, err
	}
	w.namespaceUID = namespace.UID
	var source client.Object = &appsv1.Deployment{}
	if r.tuned {
		metadata := &metav1.PartialObjectMetadata{}
		metadata.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
		source = metadata
	}
	if _, err := r.find(ctx, link.Namespace, link.Spec.InstanceRef.Name, source); err != nil {
		return nil, err
	}
	w.sourceUID = source.GetUID()
	reference := link.Spec.TargetInstanceRef
	if reference == nil {
		w.ports = portsOf(link, nil, nil)
		return w, nil
	}
	service := &corev1.Service{}
	found, err := r.find(ctx, link.Namespace, reference.Name, service)
	if err != nil || !found {
		return w, err
	}
	w.targetUID = service.UID
	pods := &corev1.PodList{}
	if len(service.Spec.Selector) > 0 {
		options := []client.ListOption{client.InNamespace(link.Namespace), client.MatchingLabels(service.Spec.Selector)}
		if err := r.List(ctx, pods, append(options, r.readOnly()...)...); err != nil {
			return nil, err
		}
	}
	w.ports = portsOf(link, service, pods)
	w.endpoints = endpointsOf(link, service, pods)
	return w, nil
}

// find reads an object without a copy.
func (r *Reconciler) find(ctx context.Context, namespace, name string, object client.Object) (bool, error) {
	var options []client.GetOption
	if r.tuned {
		options = append(options, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	}
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object, options...)
	return err == nil, client.IgnoreNotFound(err)
}

// endpointsOf are the cluster IP of the Service, if it has one, else the addresses of its pods.
func endpointsOf(link *v1alpha1.InstanceLink, service *corev1.Service, pods *corev1.PodList) []discoveryv1.Endpoint {
	publish := link.Spec.PublishNotReadyAddresses || service.Spec.PublishNotReadyAddresses
	var endpoints []discoveryv1.Endpoint
	add := func(address, kind string, object metav1.Object, ready, serving bool, node *string) {
		terminating, alias := false, link.Spec.LinkName
		endpoints = append(endpoints, discoveryv1.Endpoint{
			Addresses:  []string{address},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
			Hostname:   &alias,
			TargetRef: &corev1.ObjectReference{
				Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(), UID: object.GetUID(),
			},
			NodeName: node,
		})
	}
	if byClusterIP(link, service) {
		answers := len(service.Spec.Selector) == 0 || slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
			return isAlive(&pod) && (isReady(&pod) || publish)
		})
		for _, address := range service.Spec.ClusterIPs {
			add(address, "Service", service, answers, answers, nil)
		}
		return endpoints
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !isAlive(pod) {
			continue
		}
		var node *string
		if pod.Spec.NodeName != "" {
			node = &pod.Spec.NodeName
		}
		for _, address := range pod.Status.PodIPs {
			add(address.IP, "Pod", pod, isReady(pod) || publish, isReady(pod), node)
		}
	}
	slices.SortFunc(endpoints, func(a, b discoveryv1.Endpoint) int {
		left, _ := netip.ParseAddr(a.Addresses[0])
		right, _ := netip.ParseAddr(b.Addresses[0])
		return cmp.Or(left.Compare(right), cmp.Compare(a.TargetRef.Name, b.TargetRef.Name))
	})
	return endpoints
}

func byClusterIP(link *v1alpha1.InstanceLink, service *corev1.Service) bool {
	ip := service.Spec.ClusterIP
	return link.Spec.Addressing != "PodIP" && ip != "" && ip != corev1.ClusterIPNone
}

func isAlive(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// port is one port of a link, with its name in slices.
type port struct {
	name     string
	number   int32
	protocol corev1.Protocol
}

// portsOf are the ports of the spec, else those of the Service. A named target port is resolved with the first pod.
func portsOf(link *v1alpha1.InstanceLink, service *corev1.Service, pods *corev1.PodList) []port {
	var ports []port
	add := func(name string, number int32, protocol corev1.Protocol) {
		slice := link.Spec.LinkName
		if len(ports) > 0 {
			slice = fmt.Sprintf("%s--%s", slice, cmp.Or(name, fmt.Sprintf("p%d", number)))
		}
		ports = append(ports, port{slice, number, protocolOf(protocol)})
	}
	for _, p := range link.Spec.Ports {
		add(p.Name, p.Port, p.Protocol)
	}
	if len(ports) > 0 || service == nil {
		return ports
	}
	for _, p := range service.Spec.Ports {
		number := p.Port
		if !byClusterIP(link, service) {
			number = targetPort(p, pods)
		}
		if number != 0 {
			add(p.Name, number, p.Protocol)
		}
	}
	return ports
}

func targetPort(p corev1.ServicePort, pods *corev1.PodList) int32 {
	if p.TargetPort.StrVal == "" {
		return cmp.Or(p.TargetPort.IntVal, p.Port)
	}
	for _, pod := range pods.Items {
		for _, container := range pod.Spec.Containers {
			for _, declared := range container.Ports {
				if declared.Name == p.TargetPort.StrVal && declared.Protocol == p.Protocol {
					return declared.ContainerPort
				}
			}
		}
	}
	return 0
}
