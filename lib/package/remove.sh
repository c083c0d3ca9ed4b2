# What can't be unloaded now stays until the next boot; the package goes all the same. An older level that is installed takes its place.
if [ -d '/sys/kernel/livepatch/@MODULE@' ]; then
	if kpatch unload --quiet '@MODULE@'; then
		kpatch uninstall --quiet --kernel '@KERNEL@' '@MODULE@'
		kpatch load --quiet --all
		exit 0
	fi
	echo '@PACKAGE@: stays loaded until the next boot for the reason above' >&2
fi
kpatch uninstall --quiet --kernel '@KERNEL@' '@MODULE@'
exit 0
