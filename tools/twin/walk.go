package main

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"instancelink.io/tools/twin/v1alpha1"
)

// walk writes each state before its work. It returns when there is nothing more to do, and how long to wait.
func (r *Reconciler) walk(ctx context.Context, link *v1alpha1.InstanceLink) (time.Duration, error) {
	w, err := r.look(ctx, link)
	if err != nil {
		return 0, err
	}
	for {
		state, wait, err := r.due(ctx, link, w)
		if err != nil || state == "" {
			return wait, err
		}
		stays := state == link.Status.State
		if err := r.enter(ctx, link, w, state); err != nil {
			return 0, err
		}
		if stays || isGoal(link, state) {
			return 0, nil
		}
	}
}

// due does the work of the current state and returns the next state, or none if the link stays.
func (r *Reconciler) due(ctx context.Context, link *v1alpha1.InstanceLink, w *world) (v1alpha1.State, time.Duration, error) {
	active, deleting := wantsActive(link), !link.DeletionTimestamp.IsZero()
	switch state := link.Status.State; state {
	case "", v1alpha1.Requested:
		if deleting {
			return v1alpha1.Purging, 0, nil
		}
		if w.sourceUID == "" {
			return "", 0, nil
		}
		if err := r.addFinalizer(ctx, link); err != nil {
			return "", 0, err
		}
		if active {
			return v1alpha1.Activating, 0, nil
		}
		return v1alpha1.Inactive, 0, nil
	case v1alpha1.Activating, v1alpha1.Active, v1alpha1.UpdatingActive:
		if !active {
			return v1alpha1.Deactivating, 0, nil
		}
		if w.sourceUID == "" {
			return "", 0, nil
		}
		if state == v1alpha1.Active && link.Status.ProgrammedHash != hashOf(link) {
			return v1alpha1.UpdatingActive, 0, nil
		}
		if err := r.bringUp(ctx, link, w); err != nil {
			return "", 0, err
		}
		if wait := patience(link, w); wait > 0 && state == v1alpha1.Activating {
			return "", wait, nil
		}
		return v1alpha1.Active, 0, nil
	case v1alpha1.Deactivating:
		if err := r.takeDown(ctx, link); err != nil {
			return "", 0, err
		}
		if deleting {
			return v1alpha1.Purging, 0, nil
		}
		return v1alpha1.Inactive, 0, nil
	case v1alpha1.Inactive:
		switch {
		case deleting:
			return v1alpha1.Purging, 0, nil
		case link.Status.ProgrammedHash != hashOf(link):
			return v1alpha1.UpdatingInactive, 0, nil
		case active && w.sourceUID != "":
			return v1alpha1.Activating, 0, nil
		}
		return v1alpha1.Inactive, 0, r.takeDown(ctx, link)
	case v1alpha1.UpdatingInactive:
		return v1alpha1.Inactive, 0, nil
	default:
		if err := r.takeDown(ctx, link); err != nil {
			return "", 0, err
		}
		return "", 0, r.dropFinalizer(ctx, link)
	}
}

func wantsActive(link *v1alpha1.InstanceLink) bool {
	return link.DeletionTimestamp.IsZero() && link.Spec.DesiredState != "Inactive"
}

func isGoal(link *v1alpha1.InstanceLink, state v1alpha1.State) bool {
	if wantsActive(link) {
		return state == v1alpha1.Active
	}
	return state == v1alpha1.Inactive && link.DeletionTimestamp.IsZero()
}

// patience is how long the link still waits for its first ready endpoint.
func patience(link *v1alpha1.InstanceLink, w *world) time.Duration {
	if w.ready() || link.Spec.TargetInstanceRef == nil || len(link.Status.History) == 0 {
		return 0
	}
	wait := int64(15)
	if a := link.Spec.Activation; a != nil && a.TargetWaitSeconds != nil {
		wait = *a.TargetWaitSeconds
	}
	entered := link.Status.History[len(link.Status.History)-1].At.Time
	return time.Until(entered.Add(time.Duration(wait) * time.Second))
}

func (r *Reconciler) addFinalizer(ctx context.Context, link *v1alpha1.InstanceLink) error {
	before := link.DeepCopy()
	if !controllerutil.AddFinalizer(link, finalizer) {
		return nil
	}
	return r.write(ctx, before, link)
}

func (r *Reconciler) dropFinalizer(ctx context.Context, link *v1alpha1.InstanceLink) error {
	before := link.DeepCopy()
	if !controllerutil.RemoveFinalizer(link, finalizer) {
		return nil
	}
	if err := r.write(ctx, before, link); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.released.Store(client.ObjectKeyFromObject(link), link.UID)
	return nil
}
