package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"instancelink.io/tools/twin/v1alpha1"
)

// The indexes find links by the directory of their source, and by the name of their target Service.
const (
	byDirectory = "directory"
	byTarget    = "target"
)

// SetupWithManager sets which changes requeue a link.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	index := func(name string, key func(*v1alpha1.InstanceLink) []string) error {
		return mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.InstanceLink{}, name, func(o client.Object) []string {
			return key(o.(*v1alpha1.InstanceLink))
		})
	}
	if err := index(byDirectory, func(l *v1alpha1.InstanceLink) []string {
		return []string{directoryOf(l.Spec.InstanceRef.Name)}
	}); err != nil {
		return err
	}
	if err := index(byTarget, func(l *v1alpha1.InstanceLink) []string {
		if l.Spec.TargetInstanceRef == nil {
			return nil
		}
		return []string{l.Spec.TargetInstanceRef.Name}
	}); err != nil {
		return err
	}
	// The UID of the namespace is in the status. A change of a namespace requeues no link.
	if _, err := mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}); err != nil {
		return err
	}
	b := ctrl.NewControllerManagedBy(mgr).Named("link")
	source := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return r.links(ctx, o.GetNamespace(), byDirectory, directoryOf(o.GetName()))
	})
	environment := handler.EnqueueRequestsFromMapFunc(r.ofShared)
	if r.tuned {
		b.For(&v1alpha1.InstanceLink{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			Owns(&discoveryv1.EndpointSlice{}, builder.MatchEveryOwner, builder.WithPredicates(notMade)).
			Watches(&corev1.ConfigMap{}, environment, builder.WithPredicates(notMade, damaged)).
			Watches(&appsv1.Deployment{}, source, builder.OnlyMetadata)
	} else {
		b.For(&v1alpha1.InstanceLink{}).
			Owns(&discoveryv1.EndpointSlice{}, builder.MatchEveryOwner).
			Watches(&corev1.ConfigMap{}, environment).
			Watches(&appsv1.Deployment{}, source)
	}
	return b.Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.ofService)).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(r.ofPod)).
		Complete(r)
}

// notMade drops the event of a created child: its creator knows it.
var notMade = predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }}

// damaged drops the event that an environment has more variables: the variables of other links are not affected.
var damaged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*corev1.ConfigMap), e.ObjectNew.(*corev1.ConfigMap)
	for key, value := range before.Data {
		if now, ok := after.Data[key]; !ok || now != value {
			return true
		}
	}
	return false
}}

// links are the links that an index has under a key.
func (r *Reconciler) links(ctx context.Context, namespace, index, key string) []reconcile.Request {
	list := &v1alpha1.InstanceLinkList{}
	options := append(r.readOnly(), client.InNamespace(namespace), client.MatchingFields{index: key})
	if err := r.List(ctx, list, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot list links")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// ofShared maps a directory or an environment to the links of its source.
func (r *Reconciler) ofShared(ctx context.Context, o client.Object) []reconcile.Request {
	if o.GetLabels()[managedBy] != manager {
		return nil
	}
	return r.links(ctx, o.GetNamespace(), byDirectory, o.GetName())
}

func (r *Reconciler) ofService(ctx context.Context, o client.Object) []reconcile.Request {
	if o.GetLabels()[managedBy] == manager {
		return r.ofShared(ctx, o)
	}
	return r.links(ctx, o.GetNamespace(), byTarget, o.GetName())
}

// ofPod maps a pod to the links whose target Service selects it.
func (r *Reconciler) ofPod(ctx context.Context, o client.Object) []reconcile.Request {
	services := &corev1.ServiceList{}
	if err := r.List(ctx, services, append(r.readOnly(), client.InNamespace(o.GetNamespace()))...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot list Services")
		return nil
	}
	var requests []reconcile.Request
	for i := range services.Items {
		selector := services.Items[i].Spec.Selector
		if len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(o.GetLabels())) {
			requests = append(requests, r.links(ctx, o.GetNamespace(), byTarget, services.Items[i].Name)...)
		}
	}
	return requests
}

// readOnly lists without copies. It does not wait for writes that are under way: a mapper delays all events.
func (r *Reconciler) readOnly() []client.ListOption {
	if !r.tuned {
		return nil
	}
	return []client.ListOption{client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency}
}
