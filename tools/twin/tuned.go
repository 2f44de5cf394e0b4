package main

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const tunedWorkers = 32

// tune sets the options that make a manager fast and small. By default, the client has no rate limit and the queue is a
// priority queue.
func tune(options *ctrl.Options) {
	ours := labels.SelectorFromSet(labels.Set{managedBy: manager})
	options.Cache = cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}:          {Label: ours},
			&discoveryv1.EndpointSlice{}: {Label: ours},
			&corev1.Pod{}:                {Transform: leanPod},
		},
	}
	readYourWrites := true
	options.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: &readYourWrites}
	options.Controller.MaxConcurrentReconciles = tunedWorkers
}

// leanPod keeps the fields that an endpoint needs.
func leanPod(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	lean := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			Labels: pod.Labels, DeletionTimestamp: pod.DeletionTimestamp,
		},
		Spec:   corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, PodIPs: pod.Status.PodIPs},
	}
	for _, container := range pod.Spec.Containers {
		lean.Spec.Containers = append(lean.Spec.Containers, corev1.Container{Ports: container.Ports})
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			lean.Status.Conditions = []corev1.PodCondition{{Type: condition.Type, Status: condition.Status}}
		}
	}
	return lean, nil
}
