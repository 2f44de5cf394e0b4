package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"instancelink.io/tools/twin/v1alpha1"
)

// ensureShared writes the directory, and adds the variables of the link to the environment. One worker at a time: the
// links of a source write the same two objects.
func (r *Reconciler) ensureShared(ctx context.Context, link *v1alpha1.InstanceLink, w *world) error {
	defer r.sources.lock(link.Namespace + "/" + link.Spec.InstanceRef.Name)()
	if err := r.ensureDirectory(ctx, link, w); err != nil {
		return err
	}
	own := variables(link, w.ports)
	environment := &corev1.ConfigMap{ObjectMeta: sharedName(link)}
	if own == nil {
		return r.leaveEnvironment(ctx, link, nil)
	}
	return r.ensure(ctx, environment, func() {
		of := entriesOf(environment)
		drop(environment, of[string(link.UID)])
		of[string(link.UID)] = slices.Sorted(maps.Keys(own))
		if environment.Data == nil {
			environment.Data = map[string]string{}
		}
		maps.Copy(environment.Data, own)
		sharedMetadata(environment, link, w.sourceUID, map[string]string{linkAnnotation: path(link), entries: shown(of)})
	})
}

// leaveShared removes the link from the objects that the links of its source share, and deletes them after the last link.
func (r *Reconciler) leaveShared(ctx context.Context, link *v1alpha1.InstanceLink) error {
	defer r.sources.lock(link.Namespace + "/" + link.Spec.InstanceRef.Name)()
	others := &v1alpha1.InstanceLinkList{}
	inDirectory := client.MatchingFields{byDirectory: directoryOf(link.Spec.InstanceRef.Name)}
	if err := r.List(ctx, others, append(r.readOnly(), client.InNamespace(link.Namespace), inDirectory)...); err != nil {
		return err
	}
	if err := r.leaveEnvironment(ctx, link, others.Items); err != nil {
		return err
	}
	if slices.ContainsFunc(others.Items, func(other v1alpha1.InstanceLink) bool {
		return other.UID != link.UID && wantsActive(&other)
	}) {
		return nil
	}
	directory := &corev1.Service{}
	name := sharedName(link)
	if err := r.Get(ctx, client.ObjectKey{Namespace: name.Namespace, Name: name.Name}, directory); err != nil {
		return client.IgnoreNotFound(err)
	}
	return r.remove(ctx, directory)
}

func (r *Reconciler) leaveEnvironment(ctx context.Context, link *v1alpha1.InstanceLink, others []v1alpha1.InstanceLink) error {
	environment := &corev1.ConfigMap{}
	name := sharedName(link)
	if err := r.Get(ctx, client.ObjectKey{Namespace: name.Namespace, Name: name.Name}, environment); err != nil {
		return client.IgnoreNotFound(err)
	}
	of := entriesOf(environment)
	own, mentioned := of[string(link.UID)]
	if !mentioned {
		return nil
	}
	delete(of, string(link.UID))
	if len(of) == 0 {
		return r.remove(ctx, environment)
	}
	before := environment.DeepCopy()
	drop(environment, own)
	environment.Annotations[entries] = shown(of)
	if environment.Annotations[linkAnnotation] == path(link) {
		for i := range others {
			if _, stays := of[string(others[i].UID)]; stays {
				environment.Annotations[linkAnnotation] = path(&others[i])
			}
		}
	}
	if r.tuned {
		return r.patch(ctx, before, environment)
	}
	return r.Update(ctx, environment)
}

// variables are those of Docker links, with the alias in place of an address.
func variables(link *v1alpha1.InstanceLink, ports []port) map[string]string {
	if link.Spec.Outputs != nil && link.Spec.Outputs.Environment == "None" {
		return nil
	}
	alias := strings.ToUpper(strings.ReplaceAll(link.Spec.LinkName, "-", "_"))
	host := fmt.Sprintf("%s.%s.%s.svc", link.Spec.LinkName, directoryOf(link.Spec.InstanceRef.Name), link.Namespace)
	all := map[string]string{alias + "_NAME": fmt.Sprintf("/%s/%s", link.Spec.InstanceRef.Name, link.Spec.LinkName)}
	for i, p := range ports {
		protocol := strings.ToLower(string(p.protocol))
		url := fmt.Sprintf("%s://%s:%d", protocol, host, p.number)
		if i == 0 {
			all[alias+"_PORT"] = url
		}
		prefix := fmt.Sprintf("%s_PORT_%d_%s", alias, p.number, p.protocol)
		all[prefix] = url
		all[prefix+"_ADDR"] = host
		all[prefix+"_PORT"] = fmt.Sprint(p.number)
		all[prefix+"_PROTO"] = protocol
	}
	return all
}

// entriesOf are the variables of each link, by the UIDs of the links.
func entriesOf(environment *corev1.ConfigMap) map[string][]string {
	of := map[string][]string{}
	// An annotation that is no JSON has no entries.
	_ = json.Unmarshal([]byte(environment.Annotations[entries]), &of)
	return of
}

func shown(of map[string][]string) string {
	text, _ := json.Marshal(of)
	return string(text)
}

func drop(environment *corev1.ConfigMap, keys []string) {
	for _, key := range keys {
		delete(environment.Data, key)
	}
}
