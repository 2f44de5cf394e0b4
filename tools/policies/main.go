// Command policies enforces NetworkPolicies on the node of a test cluster.
//
// It runs kube-router's policy controller alone. The command of kube-router also links its router, its service proxy and
// clients of a cloud, and leaves IPv6 open. The rules are iptables rules in the network namespace of this process.
package main

import (
	"flag"
	"strings"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// How often rules are written again that something else removed from the firewall.
const repairPeriod = 10 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	node := flag.String("node", "", "name of the node whose pods are protected")
	services := flag.String("services", "", "networks of the Services, separated by commas; IPv6 is enforced if one of them is of IPv6")
	klog.InitFlags(nil)
	flag.Parse()
	if err := run(*kubeconfig, *node, *services); err != nil {
		klog.Fatal(err)
	}
}

func run(kubeconfig, node, services string) error {
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	stop := make(chan struct{})
	factory.Start(stop)
	factory.WaitForCacheSync(stop)

	config := options.NewKubeRouterConfig()
	config.HostnameOverride = node
	config.ClusterIPCIDRs = strings.Split(services, ",")
	config.EnableIPv4 = true
	config.EnableIPv6 = strings.Contains(services, ":")
	config.IPTablesSyncPeriod = repairPeriod
	iptables, _, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	ipsets, err := newAddressSets(config.EnableIPv6)
	if err != nil {
		return err
	}
	if config.EnableIPv6 {
		if err := acceptNeighbourDiscovery(iptables[v1.IPv6Protocol]); err != nil {
			return err
		}
	}
	var lock sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &lock, iptables, ipsets)
	if err != nil {
		return err
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       controller.PodEventHandler,
		namespaces: controller.NamespaceEventHandler,
		policies:   controller.NetworkPolicyEventHandler,
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	// The controller blocks if its heartbeats are not received.
	heartbeats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range heartbeats {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(heartbeats, stop, &running)
	return nil
}
