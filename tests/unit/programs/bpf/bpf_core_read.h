/* SPDX-License-Identifier: GPL-2.0 */
/* In place of libbpf's: the kernel's structs are as vmlinux.h has them. */
#define bpf_core_field_offset(type, member) __builtin_offsetof(type, member)
#define bpf_core_field_exists(type, member) 1
#define bpf_core_type_size(type) sizeof(type)
#define bpf_core_enum_value(type, value) value
#define BPF_CORE_READ(p, member) (((typeof(p))host_kernel(p, 0))->member)
