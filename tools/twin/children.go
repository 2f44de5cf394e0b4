package main

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"instancelink.io/tools/twin/v1alpha1"
)

// families are the slices of a link, by the suffixes of their names.
var families = []struct {
	suffix string
	kind   discoveryv1.AddressType
}{{"-v4", discoveryv1.AddressTypeIPv4}, {"-v6", discoveryv1.AddressTypeIPv6}}

// bringUp writes the children. The directory comes first: a slice must not join a foreign Service.
func (r *Reconciler) bringUp(ctx context.Context, link *v1alpha1.InstanceLink, w *world) error {
	if err := r.ensureShared(ctx, link, w); err != nil {
		return err
	}
	byFamily := map[discoveryv1.AddressType][]discoveryv1.Endpoint{}
	for _, e := range w.endpoints {
		kind := discoveryv1.AddressTypeIPv4
		if address, err := netip.ParseAddr(e.Addresses[0]); err == nil && address.Is6() {
			kind = discoveryv1.AddressTypeIPv6
		}
		byFamily[kind] = append(byFamily[kind], e)
	}
	if len(byFamily) == 0 {
		// A link that is up is shown as active.
		byFamily[discoveryv1.AddressTypeIPv4] = nil
	}
	for _, family := range families {
		endpoints, wanted := byFamily[family.kind]
		var err error
		if wanted {
			err = r.ensureSlice(ctx, link, family.suffix, family.kind, endpoints, w.ports)
		} else {
			err = r.removeSlice(ctx, link, family.suffix)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) ensureSlice(ctx context.Context, link *v1alpha1.InstanceLink, suffix string, kind discoveryv1.AddressType,
	endpoints []discoveryv1.Endpoint, ports []port,
) error {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: link.Namespace, Name: link.Name + suffix}}
	return r.ensure(ctx, slice, func() {
		slice.Labels = map[string]string{
			managedBy:      manager,
			linkUID:        string(link.UID),
			sliceManagedBy: sliceManager,
			serviceName:    directoryOf(link.Spec.InstanceRef.Name),
			headless:       "",
		}
		slice.Annotations = map[string]string{linkAnnotation: path(link)}
		slice.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "InstanceLink", Name: link.Name, UID: link.UID,
		}}
		slice.AddressType = kind
		slice.Endpoints = endpoints
		slice.Ports = nil
		for _, p := range ports {
			slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &p.name, Port: &p.number, Protocol: &p.protocol})
		}
	})
}

func (r *Reconciler) removeSlice(ctx context.Context, link *v1alpha1.InstanceLink, suffix string) error {
	slice := &discoveryv1.EndpointSlice{}
	key := client.ObjectKey{Namespace: link.Namespace, Name: link.Name + suffix}
	if err := r.Get(ctx, key, slice); err != nil {
		return client.IgnoreNotFound(err)
	}
	return r.remove(ctx, slice)
}

// takeDown deletes the children: the slices first.
func (r *Reconciler) takeDown(ctx context.Context, link *v1alpha1.InstanceLink) error {
	for _, family := range families {
		if err := r.removeSlice(ctx, link, family.suffix); err != nil {
			return err
		}
	}
	return r.leaveShared(ctx, link)
}

// sharedMetadata is the metadata of an object that the links of a source share.
func sharedMetadata(object client.Object, link *v1alpha1.InstanceLink, source types.UID, annotations map[string]string) {
	if spokesman, stands := object.GetAnnotations()[linkAnnotation]; stands {
		annotations[linkAnnotation] = spokesman
	}
	object.SetLabels(map[string]string{managedBy: manager, sourceUID: string(source)})
	object.SetAnnotations(annotations)
	object.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "Deployment", Name: link.Spec.InstanceRef.Name, UID: source,
	}})
}

func (r *Reconciler) ensureDirectory(ctx context.Context, link *v1alpha1.InstanceLink, w *world) error {
	service := &corev1.Service{ObjectMeta: sharedName(link)}
	return r.ensure(ctx, service, func() {
		sharedMetadata(service, link, w.sourceUID, map[string]string{linkAnnotation: path(link)})
		service.Spec.ClusterIP = corev1.ClusterIPNone
	})
}

func sharedName(link *v1alpha1.InstanceLink) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: link.Namespace, Name: directoryOf(link.Spec.InstanceRef.Name)}
}

func path(link *v1alpha1.InstanceLink) string { return link.Namespace + "/" + link.Name }
