# Whatever comes of it the package counts as installed: the reason is told, and the next boot tries again.
# 4: it is installed, from when this was cut off.
kpatch install --quiet --kernel '@KERNEL@' '@FILE@'
case $? in
0 | 4) ;;
*) exit 0 ;;
esac
if [ "$(uname -r)" != '@KERNEL@' ]; then
	echo '@PACKAGE@: is loaded when kernel @KERNEL@ runs'
elif grep -Eqw 'kpatch\.enable=0|readykernel=(off|no-load)' /proc/cmdline || [ -e /etc/readykernel/disable ]; then
	echo '@PACKAGE@: not loaded now, live patches are switched off on this host'
else
	kpatch load '@FILE@'
	case $? in
	0 | 4) ;;
	*) echo "@PACKAGE@: not loaded now for the reason above; the next boot tries again, and so does 'kpatch load @MODULE@'" >&2 ;;
	esac
fi
exit 0
