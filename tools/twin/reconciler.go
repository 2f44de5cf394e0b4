package main

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"instancelink.io/tools/twin/v1alpha1"
)

// Reconciler brings links to their goals.
type Reconciler struct {
	client.Client
	tuned   bool
	sources locks
	// released has the UIDs of links whose finalizer was removed: the cache shows own writes, but not this one.
	released sync.Map
}

// Reconcile moves one link as far as possible now.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	link := &v1alpha1.InstanceLink{}
	if err := r.Get(ctx, request.NamespacedName, link); err != nil {
		r.released.Delete(request.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if uid, gone := r.released.Load(request.NamespacedName); gone && uid == link.UID && r.tuned {
		return ctrl.Result{}, nil
	}
	wait, err := r.walk(ctx, link)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		// The cache was stale. This is no error, and the backoff of the queue is right.
		return ctrl.Result{Requeue: true}, nil
	}
	return ctrl.Result{RequeueAfter: wait}, err
}

// ensure creates or updates a child.
func (r *Reconciler) ensure(ctx context.Context, child client.Object, mutate func()) error {
	change := func() error { mutate(); return nil }
	if !r.tuned {
		_, err := controllerutil.CreateOrUpdate(ctx, r.Client, child, change)
		return err
	}
	err := r.Get(ctx, client.ObjectKeyFromObject(child), child)
	if apierrors.IsNotFound(err) {
		mutate()
		return r.Create(ctx, child)
	}
	if err != nil {
		return err
	}
	before := child.DeepCopyObject().(client.Object)
	mutate()
	return r.patch(ctx, before, child)
}

// write writes the metadata of a link, or its status.
func (r *Reconciler) write(ctx context.Context, before, link *v1alpha1.InstanceLink) error {
	if r.tuned {
		return r.patch(ctx, before, link)
	}
	return r.Update(ctx, link)
}

func (r *Reconciler) writeStatus(ctx context.Context, before, link *v1alpha1.InstanceLink) error {
	if r.tuned {
		return r.Status().Patch(ctx, link, locked(before))
	}
	return r.Status().Update(ctx, link)
}

// remove deletes a child in the version that was read.
func (r *Reconciler) remove(ctx context.Context, child client.Object) error {
	version := child.GetResourceVersion()
	return client.IgnoreNotFound(r.Delete(ctx, child, client.Preconditions{ResourceVersion: &version}))
}
