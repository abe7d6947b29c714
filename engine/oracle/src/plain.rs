//! A state of equal-shaped instances that hold nothing: what most of a real state is.
//!
//! Must never hold anything that a rule could find, or its figures would be those of findings.

/// What stands before the first instance.
pub const HEAD: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 7,
  "lineage": "d8a9d9f4-4b8e-9c1f-6b0e-0d6c2c7f4a11",
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "aws_instance",
      "name": "web",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
      "instances": [
"#;

/// What stands behind the last one.
pub const TAIL: &str = "
      ]
    }
  ],
  \"check_results\": null
}
";

/// An `aws_instance` without anything that its owner would hide; `@` stands for a number of sixteen hex digits, `#` for
/// a small one.
const INSTANCE: &str = r#"        {
          "index_key": #,
          "schema_version": 1,
          "attributes": {
            "ami": "ami-0@",
            "arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0@",
            "associate_public_ip_address": false,
            "availability_zone": "eu-west-1a",
            "capacity_reservation_specification": [
              {
                "capacity_reservation_preference": "open",
                "capacity_reservation_target": []
              }
            ],
            "cpu_options": [
              {
                "amd_sev_snp": "",
                "core_count": 2,
                "threads_per_core": 1
              }
            ],
            "credit_specification": [],
            "disable_api_stop": false,
            "disable_api_termination": false,
            "ebs_block_device": [],
            "ebs_optimized": true,
            "enclave_options": [
              {
                "enabled": false
              }
            ],
            "ephemeral_block_device": [],
            "get_password_data": false,
            "hibernation": false,
            "host_id": "",
            "iam_instance_profile": "web-servers",
            "id": "i-0@",
            "instance_initiated_shutdown_behavior": "stop",
            "instance_lifecycle": "",
            "instance_state": "running",
            "instance_type": "t3.medium",
            "ipv6_address_count": 0,
            "ipv6_addresses": [],
            "key_name": "",
            "launch_template": [],
            "maintenance_options": [
              {
                "auto_recovery": "default"
              }
            ],
            "metadata_options": [
              {
                "http_endpoint": "enabled",
                "http_protocol_ipv6": "disabled",
                "http_put_response_hop_limit": 2,
                "http_tokens": "required",
                "instance_metadata_tags": "disabled"
              }
            ],
            "monitoring": true,
            "network_interface": [],
            "outpost_arn": "",
            "placement_group": "",
            "primary_network_interface_id": "eni-0@",
            "private_dns_name_options": [
              {
                "enable_resource_name_dns_a_record": false,
                "enable_resource_name_dns_aaaa_record": false,
                "hostname_type": "ip-name"
              }
            ],
            "root_block_device": [
              {
                "delete_on_termination": true,
                "device_name": "/dev/xvda",
                "encrypted": true,
                "iops": 3000,
                "kms_key_id": "arn:aws:kms:eu-west-1:123456789012:key/e79548db-fccf-462c-99b1-0234610efc66",
                "tags": {},
                "throughput": 125,
                "volume_id": "vol-0@",
                "volume_size": 50,
                "volume_type": "gp3"
              }
            ],
            "secondary_private_ips": [],
            "security_groups": [],
            "source_dest_check": true,
            "subnet_id": "subnet-0@",
            "tags": {
              "Environment": "production",
              "ManagedBy": "terraform",
              "Name": "web-#",
              "Note": "first line\nsecond line, with \"quotes\""
            },
            "tenancy": "default",
            "timeouts": null,
            "user_data_replace_on_change": false,
            "vpc_security_group_ids": [
              "sg-0@",
              "sg-055a3c982aa9da004"
            ]
          },
          "sensitive_attributes": [],
          "dependencies": [
            "aws_security_group.web",
            "aws_subnet.private"
          ]
        }"#;

/// One instance, followed by a comma unless it is the last.
#[must_use]
pub fn instance(number: usize, last: bool) -> String {
    let wide = u64::try_from(number + 1).unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let text = INSTANCE.replace('@', &format!("{wide:016x}")).replace('#', &number.to_string());
    if last { text } else { text + ",\n" }
}
