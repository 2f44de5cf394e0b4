//! Certificates, keys and kubeconfigs. They are new for each cluster and end with it, so nothing is checked or renewed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

use super::layout::{API_SERVICE, Layout, NODE};

/// The client certificates: file name, user, group.
const CLIENTS: &[(&str, &str, &str)] = &[
    ("admin", "instancelink-admin", "system:masters"),
    ("controllers", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("proxy", "system:kube-proxy", ""),
    // The API server as a client of kubelets and of aggregated API servers.
    ("kubelet-client", "instancelink-apiserver", "system:masters"),
    ("front-proxy", "front-proxy-client", ""),
];

/// Makes all files in the folder of the layout.
pub(crate) fn make(layout: &Layout) -> Result<()> {
    std::fs::create_dir_all(layout.pki())?;
    let authority = authority()?;
    write(layout, "ca.crt", &authority.certificate.pem())?;
    write(layout, "ca.key", &authority.issuer.key().serialize_pem())?;

    let mut names = vec![layout.address(), "127.0.0.1".to_owned(), API_SERVICE.to_owned()];
    names.extend(
        [
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ]
        .map(str::to_owned),
    );
    names.push("kubernetes.default.svc.cluster.local".to_owned());
    issue(layout, &authority, "apiserver", "kube-apiserver", "", names)?;
    let node = format!("system:node:{NODE}");
    let names = vec![NODE.to_owned(), layout.address()];
    let identity = issue(layout, &authority, "node", &node, "system:nodes", names)?;
    kubeconfig(layout, &authority, &identity, &layout.folder.join("node.kubeconfig"))?;
    for (file, user, group) in CLIENTS {
        let identity = issue(layout, &authority, file, user, group, Vec::new())?;
        kubeconfig(
            layout,
            &authority,
            &identity,
            &layout.folder.join(format!("{file}.kubeconfig")),
        )?;
        if *file == "admin" {
            kubeconfig(layout, &authority, &identity, &layout.kubeconfig())?;
        }
    }
    let tokens = KeyPair::generate()?;
    write(layout, "tokens.key", &tokens.serialize_pem())?;
    write(layout, "tokens.pub", &tokens.public_key_pem())
}

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

fn authority() -> Result<Authority> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "instancelink development");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Authority {
        certificate,
        issuer: Issuer::new(params, key),
    })
}

fn issue(
    layout: &Layout,
    authority: &Authority,
    file: &str,
    user: &str,
    group: &str,
    names: Vec<String>,
) -> Result<Identity> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, user);
    if !group.is_empty() {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority.issuer)?.pem();
    let key = key.serialize_pem();
    write(layout, &format!("{file}.crt"), &certificate)?;
    write(layout, &format!("{file}.key"), &key)?;
    Ok(Identity { certificate, key })
}

/// Writes a kubeconfig that contains the certificates, so that it can be copied. JSON is valid YAML.
fn kubeconfig(layout: &Layout, authority: &Authority, identity: &Identity, file: &Path) -> Result<()> {
    let name = format!("instancelink-{}", layout.name);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": {
            "server": format!("https://{}:{}", layout.address(), layout.api_port()),
            "certificate-authority-data": STANDARD.encode(authority.certificate.pem()),
        }}],
        "users": [{ "name": name, "user": {
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }}],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    private(file, &serde_json::to_string_pretty(&config)?)
}

fn write(layout: &Layout, file: &str, text: &str) -> Result<()> {
    private(&layout.pki().join(file), text)
}

fn private(file: &Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}
