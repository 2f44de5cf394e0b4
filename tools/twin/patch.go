package main

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// locked is a merge patch that fails on another version than its own. Lists are replaced as a whole.
func locked(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// patch writes the difference, if there is any.
func (r *Reconciler) patch(ctx context.Context, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	return r.Patch(ctx, after, locked(before))
}

// locks has one lock for each name.
type locks struct{ byName sync.Map }

// lock takes the lock of a name. Call its result to release the lock.
func (l *locks) lock(name string) func() {
	lock, _ := l.byName.LoadOrStore(name, &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	return lock.(*sync.Mutex).Unlock
}
