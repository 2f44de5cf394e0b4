// The twin does the same as the operator if nothing goes wrong, with controller-runtime. It is a peer for the benchmark.
package main

import (
	"flag"
	"fmt"
	"os"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"instancelink.io/tools/twin/v1alpha1"
)

func main() {
	mode := flag.String("mode", "idiomatic", "idiomatic or tuned")
	metrics := flag.String("metrics-bind-address", "0", "where metrics are served; 0 for nowhere")
	health := flag.String("health-probe-bind-address", "0", "where /healthz and /readyz are served; 0 for nowhere")
	flag.Parse()
	if err := run(*mode, *metrics, *health); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(mode, metrics, health string) error {
	logger := zap.New(zap.Level(zapcore.ErrorLevel))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	tuned := mode == "tuned"
	if !tuned && mode != "idiomatic" {
		return fmt.Errorf("--mode is idiomatic or tuned, not %q", mode)
	}
	options := ctrl.Options{
		Scheme:                 scheme,
		Metrics:                metricsserver.Options{BindAddress: metrics},
		HealthProbeBindAddress: health,
	}
	options.Client.FieldOwner = manager
	if tuned {
		tune(&options)
	}
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), options)
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	reconciler := &Reconciler{Client: mgr.GetClient(), tuned: tuned}
	if err := reconciler.SetupWithManager(ctx, mgr); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("caches", synced(ctx, mgr.GetCache())); err != nil {
		return err
	}
	return mgr.Start(ctx)
}
