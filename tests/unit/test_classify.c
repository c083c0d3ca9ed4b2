/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a changed file's name says about it. */
#include <string.h>

#include "lib/source/internal.h"
#include "tests/unit/tap.h"

static const char *kind_name(enum rk_file_class kind)
{
	switch (kind) {
	case RK_FILE_UNIT: return "unit";
	case RK_FILE_HEADER: return "header";
	case RK_FILE_UNPATCHABLE: return "unpatchable";
	case RK_FILE_NOT_CODE: return "not code";
	}
	return "?";
}

static const struct {
	const char *path, *kind;
	bool is_other_arch;
} cases[] = {
	{"net/ipv4/tcp.c", "unit"},
	{"init/main.c", "unit"},
	{"lib/string.c", "unit"},
	{"certs/system_keyring.c", "unit"},
	{"kernel/sched/rt.c", "unit"},
	{"arch/x86/kernel/setup.c", "unit"},
	{"arch/x86/lib/usercopy_64.c", "unit"},
	{"arch/x86/entry/common.c", "unit"},
	{"arch/x86/entry/vdso/vma.c", "unit"},
	{"drivers/firmware/efi/efi.c", "unit"},
	{"include/net/tcp.h", "header"},
	{"include/uapi/linux/tcp.h", "header"},
	{"fs/ext4/ext4.h", "header"},
	{"arch/x86/include/asm/cpufeatures.h", "header"},
	{"kernel/locking/x.inc", "header"},
	{"arch/x86/entry/entry_64.S", "unpatchable"},
	{"lib/crc-x.S", "unpatchable"},
	{"arch/x86/kernel/vmlinux.lds.S", "unpatchable"},
	{"arch/x86/entry/vdso/vclock_gettime.c", "unpatchable"},
	{"lib/vdso/gettimeofday.c", "unpatchable"},
	{"arch/x86/boot/main.c", "unpatchable"},
	{"arch/x86/boot/compressed/misc.c", "unpatchable"},
	{"arch/x86/realmode/init.c", "unpatchable"},
	{"arch/x86/purgatory/purgatory.c", "unpatchable"},
	{"arch/x86/um/ldt.c", "unpatchable"},
	{"drivers/firmware/efi/libstub/x86-stub.c", "unpatchable"},
	{"net/Kconfig", "unpatchable"},
	{"net/Kconfig.debug", "unpatchable"},
	{"net/ipv4/Makefile", "unpatchable"},
	{"Makefile", "unpatchable"},
	{"scripts/Makefile.lib", "unpatchable"},
	{"Kbuild", "unpatchable"},
	{"arch/x86/entry/syscalls/syscall_64.tbl", "unpatchable"},
	{"rust/kernel/lib.rs", "unpatchable"},
	{"arch/x86/lib/x86-opcode-map.txt", "unpatchable"},
	{"arch/x86/crypto/poly1305-x86_64-cryptogams.pl", "unpatchable"},
	{"lib/raid6/int.uc", "unpatchable"},
	{"arch/x86/lib/gen-insn.awk", "unpatchable"},
	{"drivers/tty/vt/defkeymap.map", "unpatchable"},
	{"arch/x86/kernel/cpu/x.lds", "unpatchable"},
	{"kernel/time/timeconst.bc", "unpatchable"},
	{"certs/signing_key.pem", "unpatchable"},
	{"include/dt-bindings/x.unknown", "unpatchable"},
	{"Documentation/sphinx/x.py", "not code"},
	{"kernel/sched/README.md", "not code"},
	{"fs/notes.txt", "not code"},
	{"net/x.rst", "not code"},
	{"drivers/x.yaml", "not code"},
	{"CREDITS", "not code"},
	{"COPYING", "not code"},
	{"README", "not code"},
	{"drivers/net/README.x", "not code"},
	{"LICENSES/preferred/GPL-2.0", "not code"},
	{".gitignore", "not code"},
	{"kernel/.gitignore", "not code"},
	{".gitattributes", "not code"},
	{".clang-format", "not code"},
	{"Documentation/networking/tcp.rst", "not code"},
	{"Documentation/Makefile", "not code"},
	{"MAINTAINERS", "not code"},
	{"tools/objtool/check.c", "not code"},
	{"tools/testing/selftests/net/tls.c", "not code"},
	{"tools/perf/Makefile.perf", "not code"},
	{"samples/bpf/x.c", "not code"},
	{"scripts/mod/modpost.c", "not code"},
	{"usr/gen_init_cpio.c", "not code"},
	{"debian/changelog", "not code"},
	{"arch/x86/configs/x86_64_defconfig", "not code"},
	{"arch/x86/tools/relocs.c", "not code"},
	{".mailmap", "not code"},
	{"arch/arm64/mm/fault.c", "unit", true},
	{"arch/arm64/include/asm/kvm.h", "header", true},
	{"arch/arm64/boot/dts/x.dts", "unpatchable", true},
	{"arch/x86_other/a.c", "unit", true},
	{"arch/Kconfig", "unpatchable"},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_other;

		is_str(kind_name(rk_classify(cases[i].path, "x86", &is_other)), cases[i].kind,
		       cases[i].path);
		ok(is_other == cases[i].is_other_arch, "%s: for %s machine", cases[i].path,
		   is_other ? "another" : "this");
	}
	return done_testing();
}
