package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"instancelink.io/tools/twin/v1alpha1"
)

const mostHistory = 10

// messages are the messages of the transitional states.
var messages = map[v1alpha1.State]string{
	v1alpha1.Activating:       "writes the data plane",
	v1alpha1.UpdatingActive:   "writes what the spec asks for now",
	v1alpha1.Deactivating:     "takes the data plane away",
	v1alpha1.UpdatingInactive: "takes note of the spec",
	v1alpha1.Purging:          "removes what is left",
}

func at(state v1alpha1.State, states ...v1alpha1.State) bool { return slices.Contains(states, state) }

// enter writes the status of a state, if the status differs.
func (r *Reconciler) enter(ctx context.Context, link *v1alpha1.InstanceLink, w *world, state v1alpha1.State) error {
	before := link.DeepCopy()
	link.Status = statusOf(link, w, state, time.Now())
	if equality.Semantic.DeepEqual(before.Status, link.Status) {
		return nil
	}
	return r.writeStatus(ctx, before, link)
}

// statusOf is the whole status in a state.
func statusOf(link *v1alpha1.InstanceLink, w *world, state v1alpha1.State, now time.Time) v1alpha1.InstanceLinkStatus {
	old, spec := &link.Status, &link.Spec
	entering := state != old.State
	id, generation, created := bits52(string(link.UID)), link.Generation, link.CreationTimestamp
	s := v1alpha1.InstanceLinkStatus{
		ID: &id, Kind: "instanceLink", Name: spec.Name, State: state,
		InstanceID: string(w.sourceUID), TargetInstanceID: string(w.targetUID), LinkName: spec.LinkName,
		AccountID: string(w.namespaceUID), Created: &created, Description: spec.Description, Transitioning: "no",
		UUID: string(link.UID), ObservedGeneration: &generation, AvailableActions: actionsOf(link, state),
		ProgrammedHash: old.ProgrammedHash, History: old.History,
	}
	if message := messages[state]; message != "" {
		remains := int32(100)
		s.Transitioning, s.TransitioningMessage, s.TransitioningProgress = "yes", message, &remains
	}
	if state == v1alpha1.Purging {
		s.ProgrammedHash = ""
	} else {
		s.FQDN = fmt.Sprintf("%s.%s.%s.svc.cluster.local", spec.LinkName, directoryOf(spec.InstanceRef.Name), link.Namespace)
	}
	switch {
	case state == v1alpha1.Active:
		s.Target = spec.TargetInstanceRef
	case at(state, v1alpha1.UpdatingActive, v1alpha1.Deactivating):
		s.Target = old.Target
	}
	if entering && at(state, v1alpha1.Active, v1alpha1.Inactive) {
		s.ProgrammedHash = hashOf(link)
	}
	if entering {
		s.History = history(link, state, now)
	}
	s.Conditions = conditionsOf(link, w, state, now)
	return s
}

func history(link *v1alpha1.InstanceLink, state v1alpha1.State, now time.Time) []v1alpha1.HistoryEntry {
	at := metav1.NewMicroTime(now.Truncate(time.Microsecond))
	entries := slices.Clone(link.Status.History)
	cause := "spec"
	registered := len(entries) > 0
	switch {
	case state == v1alpha1.Active || state == v1alpha1.Inactive:
		cause = "done"
	case !registered:
		cause = "create"
	case !link.DeletionTimestamp.IsZero():
		cause = "delete"
	}
	if !registered && state != v1alpha1.Purging {
		entries = append(entries, v1alpha1.HistoryEntry{State: v1alpha1.Registering, At: at, Cause: "create"})
	}
	entries = append(entries, v1alpha1.HistoryEntry{State: state, At: at, Cause: cause})
	return entries[max(0, len(entries)-mostHistory):]
}

// actionsOf are the actions that would change the state.
func actionsOf(link *v1alpha1.InstanceLink, state v1alpha1.State) []string {
	if !link.DeletionTimestamp.IsZero() || state == v1alpha1.Purging {
		return nil
	}
	if link.Spec.DesiredState != "" {
		return []string{"remove"}
	}
	if at(state, v1alpha1.Deactivating, v1alpha1.Inactive, v1alpha1.UpdatingInactive) {
		return []string{"activate", "remove"}
	}
	return []string{"deactivate", "remove"}
}

// hashOf is the hash of the fields of an update, as the operator computes it.
func hashOf(link *v1alpha1.InstanceLink) string {
	spec := &link.Spec
	var target map[string]string
	if t := spec.TargetInstanceRef; t != nil {
		target = map[string]string{"apiVersion": "v1", "kind": t.Kind, "name": t.Name, "namespace": link.Namespace}
	}
	var ports [][]any
	for _, p := range spec.Ports {
		ports = append(ports, []any{p.Name, p.Port, p.TargetPort, protocolOf(p.Protocol)})
	}
	environment := "Docker"
	var binding *v1alpha1.Binding
	if spec.Outputs != nil {
		binding = spec.Outputs.Binding
		if spec.Outputs.Environment != "" {
			environment = spec.Outputs.Environment
		}
	}
	fields := []any{target, ports, spec.Addressing, spec.PublishNotReadyAddresses, spec.NetworkPolicy, environment, binding}
	text, _ := json.Marshal(fields)
	return fmt.Sprintf("%x", sha256.Sum256(text))[:12]
}

// bits52 is the number that the operator computes from a UID.
func bits52(uid string) int64 {
	sum := sha256.Sum256([]byte(uid))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 12)
}
