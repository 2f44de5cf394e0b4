package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// synced is ready when all watches have a first list.
func synced(ctx context.Context, of cache.Cache) healthz.Checker {
	var done atomic.Bool
	go func() { done.Store(of.WaitForCacheSync(ctx)) }()
	return func(*http.Request) error {
		if done.Load() {
			return nil
		}
		return errors.New("the caches are not filled")
	}
}
