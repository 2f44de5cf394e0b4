package main

// The names that the operator writes: see crates/api/src/keys.rs.
const (
	finalizer      = "instancelink.dev/lifecycle"
	manager        = "instancelink"
	managedBy      = "app.kubernetes.io/managed-by"
	linkUID        = "instancelink.dev/link-uid"
	sourceUID      = "instancelink.dev/source-uid"
	linkAnnotation = "instancelink.dev/link"
	entries        = "instancelink.dev/entries"
	sliceManagedBy = "endpointslice.kubernetes.io/managed-by"
	sliceManager   = "instancelink.dev"
	serviceName    = "kubernetes.io/service-name"
	headless       = "service.kubernetes.io/headless"
)

// directoryOf is the name of a source's directory Service and of its environment ConfigMap.
func directoryOf(source string) string { return source + "-links" }
